// Many clients, at once and one after the other.

import LWSEchoServer
import LWSWebSocket
import TestConditions
import TestSupport
import Testing

@Suite("Many clients of a server", .serialized)
struct LoadTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test("200 at once are counted and served")
    func atOnce() throws {
        let clients = try (0..<200).map { _ in try WebSocketClient(server.url()) }
        #expect(eventually { server.connectionCount == 200 })
        for (index, client) in clients.enumerated() { try client.writeTextMessage("client \(index)") }
        for (index, client) in clients.enumerated() { #expect(try client.readTextMessage() == "client \(index)") }
        for client in clients.prefix(100) { try client.close() }
        #expect(eventually { server.connectionCount == 100 })
        for (index, client) in clients.enumerated().dropFirst(100) {
            try client.writeBinaryMessage(pattern(index))
            #expect(try client.readBinaryMessage() == pattern(index))
            try client.close()
        }
        #expect(eventually { server.connectionCount == 0 })
    }

    @Test("300 that come and are gone, in every way, leave nothing behind", .needsCompression)
    func oneAfterTheOther() throws {
        for index in 0..<20 { try visit(index) }
        #expect(eventually { server.connectionCount == 0 })
        let before = try Usage()
        for index in 0..<300 { try visit(index) }
        #expect(eventually { server.connectionCount == 0 })
        try before.expectBack()
    }

    private func visit(_ index: Int) throws {
        switch index % 6 {
        case 0: #expect(try WebSocketClient(server.url()).isOpen)
        case 1: try server.rawClient().connection.reset()
        case 2:
            let client = try server.rawClient(headers: ["Sec-WebSocket-Extensions: permessage-deflate"])
            client.send(RawFrame(fin: false, rsv: 4, opcode: 1, payload: [0xF2, 0x48, 0xCD]))
            #expect(try client.readFrame().rsv == 4)
        case 3: #expect(try server.rawClient("/drop").connection.readUntilEnd().isEmpty)
        case 4: #expect(try server.refusal(of: "/refuse/500").status == 500)
        default: _ = try RawClient(port: server.port)
        }
    }
}
