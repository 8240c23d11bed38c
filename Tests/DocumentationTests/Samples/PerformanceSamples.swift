// What Performance.md shows.

import LWSEchoServer
import LWSWebSocket
import Testing

extension Samples {
    @Suite("Performance")
    struct Performance {
        @Test("many messages in one call")
        func manyAtOnce() throws {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url())
            let orders = (0..<64).map { "order \($0)" }
            // sample: many-at-once
            try client.writeMessages(orders.map { .text($0) })
            // sample end
            for order in orders { #expect(try client.readTextMessage() == order) }
        }

        @Test("no compression, and larger frames")
        func fewerBytes() throws {
            let server = try EchoServer()
            // sample: large-messages
            var configuration = ClientConfiguration()
            configuration.webSocketCompressionEnabled = false  // small, or compressed already
            configuration.maxFrameSize = 1 << 20  // fewer frames of large messages
            // sample end
            let client = try WebSocketClient(server.url(), configuration: configuration)
            let picture = [UInt8](repeating: 7, count: 1 << 20)
            try client.writeBinaryMessage(picture)
            #expect(try client.readBinaryMessage() == picture)
        }
    }
}
