// Servers that nobody here wrote.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Interoperability", .serialized)
struct InteroperabilityTests {
    @Test("with Python's websockets: text, binary, sizes, fragments")
    func python() throws {
        let server = try PythonWebSocketsServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1 << 20
        let client = try WebSocketClient(server.url(), configuration: configuration)
        for size in [0, 1, 125, 126, 127, 65535, 65536, 65537, 1_000_000] {
            let text = String(repeating: "€", count: size / 3) + String(repeating: "x", count: size % 3)
            try client.writeTextMessage(text)
            #expect(try client.readTextMessage() == text)
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            try client.writeBinaryMessage(bytes)
            #expect(try client.readBinaryMessage() == bytes)
        }
        try client.close(statusCode: 3000, reason: "done")
        #expect(client.inside.receivedClose == CloseFrame(code: 3000, reason: "done"))
        let fragmented = try WebSocketClient(server.url("/fragmented"))
        try fragmented.writeTextMessage("grüße aus drei stücken €")
        #expect(try fragmented.readTextMessage() == "grüße aus drei stücken €")
    }

    @Test("with Python's websockets: a message of 16 MB in frames of every size")
    func pythonLarge() throws {
        let server = try PythonWebSocketsServer()
        defer { server.stop() }
        let bytes = (0..<16_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for frameSize in [10_000, 65536, 1 << 24] {
            var configuration = ClientConfiguration()
            configuration.maxFrameSize = frameSize
            let client = try WebSocketClient(server.url("/count"), configuration: configuration)
            try client.writeBinaryMessage(bytes)
            try client.writeTextMessage("report")
            #expect(try client.readTextMessage().contains("\(bytes.count)"))
        }
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1 << 24
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.writeBinaryMessage(bytes)
        #expect(try client.readBinaryMessage() == bytes)
    }

    @Test("with Python's websockets: pings both ways, and closes by the server")
    func pythonControl() throws {
        let server = try PythonWebSocketsServer()
        defer { server.stop() }
        let pinged = try WebSocketClient(server.url("/ping"))
        #expect(try pinged.readTextMessage() == "pong received")
        try pinged.ping(Array("payload".utf8))
        try pinged.close()
        for (path, code, reason) in [("/close/1000/bye", 1000, "bye"), ("/close/4321/own", 4321, "own")] {
            let closed = try WebSocketClient(server.url(path))
            let error = failure { try closed.readMessage() }
            #expect(error?.closure == .init(code: code, reason: reason, initiator: .peer, isClean: true))
        }
        let pushed = try WebSocketClient(server.url("/text/1000"))
        for index in 0..<1000 { #expect(try pushed.readTextMessage() == "message \(index)") }
    }

    @Test("with Python's websockets: a server that is killed is a lost connection, and one that is gone is refused")
    func pythonKilled() throws {
        let server = try PythonWebSocketsServer()
        let client = try WebSocketClient(server.url())
        let reading = try Background { try client.readMessage() }
        #expect(reading.isBlocked())
        server.kill()
        let error = failure { try reading.value() }
        #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
        #expect(failure { try WebSocketClient(server.url()) }?.code == .connection)
    }

    @Test("with lws's own test server: its mirror, which sends what it is told to everyone")
    func lwsMirror() throws {
        let server = try LWSTestServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.subProtocols = ["lws-mirror-protocol"]
        configuration.readTimeout = Timing.ages
        let first = try WebSocketClient(server.url, configuration: configuration)
        let second = try WebSocketClient(server.url, configuration: configuration)
        #expect(first.negotiatedSubProtocol == "lws-mirror-protocol")
        for index in 0..<100 {
            try first.writeTextMessage("line \(index)")
            #expect(try first.readTextMessage() == "line \(index)")
            #expect(try second.readTextMessage() == "line \(index)")
        }
        try first.close(statusCode: 3001, reason: "done")
        #expect(first.inside.receivedClose == CloseFrame(code: 3001, reason: "done"))
        #expect(second.isOpen)
    }

    @Test("with lws's own test server: numbers that it pushes")
    func lwsNumbers() throws {
        let server = try LWSTestServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.subProtocols = ["dumb-increment-protocol"]
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url, configuration: configuration)
        let first = try #require(Int(try client.readTextMessage()))
        for step in 1..<20 { #expect(try Int(client.readTextMessage()) == first + step) }
        try client.close()
    }

    @Test("with lws's own test server: without a sub-protocol")
    func lwsTestServer() throws {
        let server = try LWSTestServer()
        defer { server.stop() }
        // It accepts, and never says anything of its own.
        let client = try WebSocketClient(server.url)
        #expect(client.isOpen)
        try client.ping([1, 2, 3])
        try client.close()
        #expect(!client.isOpen)
    }
}
