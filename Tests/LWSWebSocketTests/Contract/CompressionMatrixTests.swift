// Every combination of permessage-deflate's parameters, with a peer of another make.

import HTTPTypes
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Compression with Python's websockets", .serialized, .needsCompression)
struct CompressionMatrixTests {
    private static let texts = [
        "", "x", "fragmented by the server, in three frames: äöü€ 🙂",
        String(repeating: "fit for compression ", count: 2000), String(repeating: "a window's worth ", count: 400),
    ]

    /// Texts and bytes there and back, some of it in fragments.
    private func exchange(_ client: WebSocketClient) throws {
        var random = SeededGenerator(seed: 3)
        for text in Self.texts {
            try client.writeTextMessage(text)
            #expect(try client.readTextMessage() == text)
        }
        for count in [0, 1, 200, 20_000] {
            let bytes = random.bytes(count)
            try client.writeBinaryMessage(bytes)
            #expect(try client.readBinaryMessage() == bytes)
        }
        try client.close()
    }

    @Test("works with every combination that a server asks for: 288 of them")
    func serverSide() throws {
        let server = try PythonDeflateServer()
        defer { server.stop() }
        try #require(server.listeners.count == 2 * 2 * 8 * 9)
        for listener in server.listeners {
            let client = try WebSocketClient(listener.url)
            let agreed = client.httpResponse?.headerFields[.secWebSocketExtensions] ?? ""
            #expect(agreed.contains("server_no_context_takeover") == listener.serverNoContextTakeover, "\(listener)")
            #expect(agreed.contains("client_no_context_takeover") == listener.clientNoContextTakeover, "\(listener)")
            #expect(agreed.contains("server_max_window_bits") == (listener.serverMaxWindowBits != nil), "\(listener)")
            #expect(agreed.contains("client_max_window_bits") == (listener.clientMaxWindowBits != nil), "\(listener)")
            try exchange(client)
        }
    }

    @Test("works with every combination that the client offers: 256 of them, with nine levels")
    func clientSide() throws {
        let server = try PythonDeflateServer()
        defer { server.stop() }
        let plain = try #require(server.listeners.first)
        let bits: [Int?] = [nil, 9, 10, 11, 12, 13, 14, 15]
        var level = 0
        for serverForgets in [false, true] {
            for clientForgets in [false, true] {
                for serverBits in bits {
                    for clientBits in bits {
                        var configuration = ClientConfiguration()
                        configuration.compression.serverNoContextTakeover = serverForgets
                        configuration.compression.clientNoContextTakeover = clientForgets
                        configuration.compression.serverMaxWindowBits = serverBits
                        configuration.compression.clientMaxWindowBits = clientBits
                        configuration.compression.level = level + 1
                        level = (level + 1) % 9
                        try exchange(try WebSocketClient(plain.url, configuration: configuration))
                    }
                }
            }
        }
    }

    @Test("works with messages of 16 MB, compressible and not, in one frame and in fragments")
    func large() throws {
        let server = try PythonDeflateServer()
        defer { server.stop() }
        var random = SeededGenerator(seed: 4)
        let messages = [[UInt8](repeating: 0x61, count: 16_000_000), random.bytes(16_000_000)]
        let takers = server.listeners.filter {
            [nil, 9].contains($0.serverMaxWindowBits) && $0.clientMaxWindowBits == $0.serverMaxWindowBits
                && $0.serverNoContextTakeover == $0.clientNoContextTakeover
        }
        try #require(takers.count == 4)
        for listener in takers {
            var configuration = ClientConfiguration()
            configuration.maxFrameSize = 1 << 25
            let client = try WebSocketClient(listener.url, configuration: configuration)
            for message in messages {
                try client.writeBinaryMessage(message)
                #expect(try client.readBinaryMessage() == message)
            }
            try client.close()
            // With a small limit this side fragments. What comes back has to fit as well, and does where it compresses.
            configuration.maxFrameSize = 70_000
            let fragmenting = try WebSocketClient(listener.url, configuration: configuration)
            let text = String(repeating: "fragments both ways ", count: 800_000)
            try fragmenting.writeTextMessage(text)
            #expect(try fragmenting.readTextMessage() == text)
            try fragmenting.close()
        }
    }
}
