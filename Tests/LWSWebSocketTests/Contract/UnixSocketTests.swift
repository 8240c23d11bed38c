// Servers that listen on a socket of the file system.

import Foundation
import HTTPTypes
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A ws+unix URL", .serialized)
struct UnixSocketTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/lws-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test("connects to Python's websockets", .needsUnixSockets)
    func python() throws {
        try withFolder { folder in
            let socket = "\(folder)/ws.sock"
            let server = try PythonWebSocketsServer(unixSocket: socket)
            defer { server.stop() }
            var large = ClientConfiguration()
            large.maxFrameSize = 1 << 20
            let client = try WebSocketClient("ws+unix://\(socket):/echo?query=1", configuration: large)
            #expect(client.isOpen)
            #expect(!client.isSecure)
            let text = String(repeating: "message ", count: 100_000)
            try client.writeTextMessage(text)
            #expect(try client.readTextMessage() == text)
            try client.close()
            let headers = try WebSocketClient("ws+unix:\(socket):/headers").readTextMessage()
            #expect(headers.contains(#"["Host", "localhost"]"#), "\(headers)")
            // No path stands for "/", which that server refuses.
            let error = failure { try WebSocketClient("ws+unix://\(socket)") }
            #expect(error?.code == .invalidHandshake)
            #expect(error?.httpResponse?.status.code == 404)
            #expect(error?.description.contains(socket) == true)
        }
    }

    @Test(
        "may have spaces and colons in the socket's path, and as many bytes as the system allows",
        .needsUnixSockets)
    func paths() throws {
        try withFolder { folder in
            let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
            let long = folder + "/" + String(repeating: "x", count: longest - folder.utf8.count - 1)
            for (path, written) in [
                ("\(folder)/a b", "\(folder)/a b"), ("\(folder)/a b:c%", "\(folder)/a%20b%3Ac%25"), (long, long),
            ] {
                let server = try PythonWebSocketsServer(unixSocket: path)
                defer { server.stop() }
                #expect(try WebSocketClient("ws+unix://\(written):/echo").isOpen)
            }
            let error = failure { try WebSocketClient("ws+unix://\(long)x:/echo") }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test(
        "of a socket that is missing, or that nobody serves, is a connection error that names it",
        .needsUnixSockets)
    func missing() throws {
        try withFolder { folder in
            let missing = failure { try WebSocketClient("ws+unix://\(folder)/none:/") }
            #expect(missing?.code == .connection)
            #expect(missing?.description.contains("\(folder)/none") == true)
            #expect(missing?.isRetriable == true)
            let socket = "\(folder)/ws.sock"
            let server = try PythonWebSocketsServer(unixSocket: socket)
            server.kill()
            #expect(FileManager.default.fileExists(atPath: socket))
            #expect(failure { try WebSocketClient("ws+unix://\(socket):/") }?.code == .connection)
            _ = FileManager.default.createFile(atPath: "\(folder)/file", contents: nil)
            #expect(failure { try WebSocketClient("ws+unix://\(folder)/file:/") }?.code == .connection)
        }
    }

    @Test("does not go with a proxy or a local address")
    func combined() {
        var configuration = ClientConfiguration()
        configuration.localAddress = "127.0.0.1"
        let error = failure { try WebSocketClient("ws+unix:///tmp/s", configuration: configuration) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix("localAddress: ") == true)
    }
}
