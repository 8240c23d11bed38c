// The async twins of the blocking calls, against real servers.

import Foundation
import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Async twins", .serialized)
struct AsyncTwinTests {
    @Test("send and receive what the blocking calls do, with the bundled server", arguments: [false, true])
    func echo(secure: Bool) async throws {
        let server = try EchoProcess(secure: secure)
        var configuration = ClientConfiguration()
        if secure { configuration = try .secure() }
        configuration.maxFrameSize = 4096
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        #expect(client.isOpen && client.isSecure == secure)
        #expect(try await client.echoesSuspended("grüße"))
        try await client.send([0xca, 0xfe])
        #expect(try await client.receive() == .binary([0xca, 0xfe]))
        try await client.send(Data([1, 2, 3]))
        #expect(try await client.receive() == .binary([1, 2, 3]))
        let long = WebSocketMessage.text(String(repeating: "äöü", count: 50_000))
        try await client.send(long)
        #expect(try await client.receive() == long, "in several frames")
        try await client.send("[1, 2]")
        #expect(try await client.receive(as: [Int].self) == [1, 2])
        try await client.close()
        #expect(!client.isOpen)
        #expect(await asyncFailure { try await client.receive() }?.code == .connectionClosure)
        #expect(await asyncFailure { try await client.send("x") }?.code == .connectionClosure)
    }

    @Test("send and receive what the blocking calls do, with Python's server and compression", .needsCompression)
    func python() async throws {
        let server = try PythonWebSocketsServer(compression: true)
        defer { server.stop() }
        let client = try await WebSocketClient.connect(server.url())
        for size in [0, 1, 125, 126, 65_535, 1 << 20] {
            let message = WebSocketMessage.text(String(repeating: "x", count: size))
            try await client.send(message)
            #expect(try await client.receive() == message)
        }
        try await client.close(statusCode: 3000, reason: "done")
        #expect(client.inside.receivedClose?.code == 3000)
    }

    @Test("a name is looked up, and what cannot be reached or refuses is an error as ever")
    func connecting() async throws {
        let server = try EchoProcess()
        let named = try await WebSocketClient.connect(server.url(host: "localhost"))
        #expect(try await named.echoesSuspended())
        try await named.close()
        let nobody = "ws://127.0.0.1:\(try FreePort.find())/"
        #expect(await asyncFailure { try await WebSocketClient.connect(nobody) }?.code == .connection)
        let refused = await asyncFailure { try await WebSocketClient.connect(server.url("/refuse/403")) }
        #expect(refused?.code == .invalidHandshake && refused?.httpResponse?.status.code == 403)
        #expect(await asyncFailure { try await WebSocketClient.connect("http://x/") }?.code == .invalidArgument)
        let client = try WebSocketClient(unconnected: server.url())
        #expect(await asyncFailure { try await client.receive() }?.code == .invalidArgument)
        try await client.connect()
        #expect(await asyncFailure { try await client.connect() }?.code == .invalidArgument, "once")
        try await client.close()
    }

    @Test("redirects are followed, and credentials sent")
    func handshake() async throws {
        let target = try EchoServer()
        defer { target.stop() }
        let location = target.url("/echo")
        let server = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.redirect(to: location)
            peer.waitForEnd()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.followRedirects = 1
        configuration.auth = .credentials(username: "a", password: "b")
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        #expect(try await client.echoesSuspended())
        try await client.close()
    }

    @Test("all messages come in a loop, which ends with the connection")
    func messages() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url("/push/1000/16"))
        var count = 0
        for try await message in client.messages {
            #expect(message.bytes.count == 16)
            count += 1
            if count == 1000 { try await client.close() }
        }
        #expect(count == 1000)
        for (path, code) in [("/close/1000/bye", nil), ("/close/4000/no", 4000), ("/drop", 1006)] as [(String, Int?)]
        {
            let client = try await WebSocketClient.connect(server.url(path))
            let error = await asyncFailure { for try await _ in client.messages {} }
            #expect(error?.closure?.code == code, "\(path)")
        }
    }

    @Test("a connection lasts as long as a block of code, and is closed behind it")
    func structured() async throws {
        let catcher = try FrameCatcher()
        let answer = try await withWebSocket(catcher.server.url()) { client in
            try await client.send("in")
            return 42
        }
        #expect(answer == 42)
        var frames = try catcher.next(2)
        #expect(frames.map(\.opcode) == [1, 8] && frames[1].payload == [0x03, 0xe8])
        struct Mishap: Error {}
        await #expect(throws: Mishap.self) {
            try await withWebSocket(catcher.server.url()) { _ in throw Mishap() }
        }
        frames = try catcher.next(1)
        #expect(frames.map(\.opcode) == [8] && frames[0].payload == [0x03, 0xe9])
        let task = Task { [url = catcher.server.url()] in
            try await withWebSocket(url) { client in
                try await client.send("waiting")
                _ = try await client.receive()
            }
        }
        frames = try catcher.next(1)
        task.cancel()
        #expect(await asyncFailure { try await task.value }?.code == .cancelled)
        #expect(try catcher.next(1).map(\.payload) == [[0x03, 0xe9]], "the close is waited for all the same")
    }
}
