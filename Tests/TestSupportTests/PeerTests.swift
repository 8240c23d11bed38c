// The peers that are programs start, answer, end, and are reaped.

import Foundation
import TestSupport
import Testing

@Suite("Peers")
struct PeerTests {
    @Test("The Python server starts, upgrades, echoes, and is gone after stop")
    func pythonServer() throws {
        let server = try PythonWebSocketsServer()
        #expect(server.url("/x") == "ws://127.0.0.1:\(server.port)/x")
        let client = try RawClient(port: server.port)
        let answer = try upgrade(client, path: "/echo")
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        client.connection.send([0x81, 0x82, 0, 0, 0, 0, UInt8(ascii: "h"), UInt8(ascii: "i")])
        #expect(try client.connection.readFrame() == RawFrame(opcode: 1, payload: Array("hi".utf8)))
        server.stop()
        #expect(isGone(server.identifier))
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("The Python server's scripted paths", arguments: ["off", "on"])
    func pythonPaths(compression: String) throws {
        let server = try PythonWebSocketsServer(compression: compression == "on", maxSize: 1000, maxQueue: 2)
        func first(_ path: String) throws -> RawFrame {
            let client = try RawClient(port: server.port)
            _ = try upgrade(client, path: path)
            return try client.connection.readFrame()
        }
        #expect(try first("/text/1").text == "message 0")
        #expect(try first("/push/1/200").payload == [UInt8](repeating: 0, count: 200))
        #expect(try first("/ping").opcode == 9)
        #expect(try first("/headers").text.contains(#"["Host", "x"]"#))
        let close = try first("/close/4001/going%20away")
        #expect(close.closeCode == 4001)
        #expect(String(decoding: close.payload.dropFirst(2), as: UTF8.self) == "going away")
        let unknown = try RawClient(port: server.port)
        #expect(try upgrade(unknown, path: "/nowhere").hasPrefix("HTTP/1.1 404 "))
        server.kill()
        #expect(isGone(server.identifier))
    }

    @Test("libwebsockets' own test server starts and mirrors")
    func libwebsocketsServer() throws {
        let server = try LWSTestServer()
        let client = try RawClient(port: server.port)
        let answer = try upgrade(client, path: "/", subProtocol: "lws-mirror-protocol")
        #expect(RawConnection.field("Sec-WebSocket-Protocol", in: answer) == "lws-mirror-protocol")
        client.connection.send([0x82, 0x82, 0, 0, 0, 0, UInt8(ascii: "h"), UInt8(ascii: "i")])
        #expect(try client.connection.readFrame() == RawFrame(opcode: 1, payload: Array("hi".utf8)))
        server.stop()
        #expect(client.connection.readUntilEnd().isEmpty)
    }

    @Test("A program that ends early, or is missing, is an error with words")
    func failures() throws {
        let process = try PeerProcess("/bin/sh", ["-c", "echo no use >&2; exit 3"])
        let error = #expect(throws: PeerError.self) { _ = try process.waitForLine("ready ") }
        #expect(error?.description == "/bin/sh ended early: no use\n")
        #expect(throws: PeerError.self) { try PeerProcess("/nonexistent/program") }
    }

    @Test("A program that ignores SIGTERM is killed")
    func stubborn() throws {
        let process = try PeerProcess(
            "/bin/sh", ["-c", "trap '' TERM; echo ready; exec sleep 600"])
        _ = try process.waitForLine("ready")
        process.stop()
        #expect(!process.isRunning)
        #expect(isGone(process.identifier))
    }

    @Test("A free port refuses connections")
    func freePort() throws {
        let port = try FreePort.find()
        #expect(throws: PeerError.self) { try RawClient(port: port) }
    }

    private func upgrade(_ client: RawClient, path: String, subProtocol: String? = nil) throws -> String {
        var lines = [
            "GET \(path) HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        if let subProtocol { lines.append("Sec-WebSocket-Protocol: \(subProtocol)") }
        client.connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try client.connection.readRequestHead()
    }

    /// Reaped, not only dead: a zombie still takes signals.
    private func isGone(_ identifier: Int32) -> Bool { kill(identifier, 0) == -1 && errno == ESRCH }
}
