// The echo as the library's own client sees it.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("The echo, for the library's client", .serialized)
struct ClientEchoTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test("is on /echo and /, whatever the query", arguments: ["/echo", "/", "/echo?query=1"])
    func paths(path: String) throws {
        let client = try WebSocketClient(server.url(path))
        try client.writeTextMessage(path)
        #expect(try client.readMessage() == .text(path))
        try client.close()
    }

    @Test("returns messages of every kind and size")
    func messages() throws {
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1 << 20
        let client = try WebSocketClient(server.url(), configuration: configuration)
        for size in [0, 1, 126, 65535, 65536, 1_000_000] {
            try client.writeBinaryMessage(pattern(size))
            #expect(try client.readMessage() == .binary(pattern(size)))
            let text = String(repeating: "€", count: size / 3)
            try client.writeTextMessage(text)
            #expect(try client.readMessage() == .text(text))
        }
        try client.close()
    }

    @Test("returns a message that the client sends in many frames")
    func fragmented() throws {
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1000
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.writeBinaryMessage(pattern(100_500))
        #expect(try client.readBinaryMessage() == pattern(100_500))
        try client.writeTextMessage(String(repeating: "grüße ", count: 1000))
        #expect(try client.readTextMessage() == String(repeating: "grüße ", count: 1000))
    }

    @Test("goes on after pings, and ends with a close that is answered")
    func control() throws {
        let client = try WebSocketClient(server.url())
        try client.ping([1, 2, 3])
        try client.writeTextMessage("after the ping")
        #expect(try client.readTextMessage() == "after the ping")
        try client.close(statusCode: 4321, reason: "enough")
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.closure?.code == 4321)
        #expect(error?.closure?.reason == "enough")
    }

    @Test("keeps 1,000 messages in order")
    func order() throws {
        let client = try WebSocketClient(server.url())
        let writer = try Background { for index in 0..<1000 { try client.writeTextMessage("\(index)") } }
        for index in 0..<1000 { #expect(try client.readTextMessage() == "\(index)") }
        try writer.value()
    }
}
