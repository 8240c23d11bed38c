// Deflate blocks that few servers send.

import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A server that compresses in its own way", .serialized, .needsCompression)
struct CompressedBlockTests {
    @Test("and marks a block as the last is understood, and so is what follows")
    func lastBlock() throws {
        let server = try DeflatePeer.server { peer in
            for _ in 0..<3 {
                peer.send(2, [1, 2, 3])
                peer.sendPayload(2, peer.deflate.compressFinal([4, 5, 6]))
            }
            peer.finish()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        for _ in 0..<3 {
            #expect(try client.readBinaryMessage() == [1, 2, 3])
            #expect(try client.readBinaryMessage() == [4, 5, 6])
        }
        try client.close()
    }

    @Test("and leaves blocks open, or ends them where the reader's buffer does, gets messages or a typed error")
    func openBlocks() throws {
        // A block of fixed codes that is still open when the message ends: zeros are "end of block", 0xff begins others,
        // and in between are runs of 258 bytes, which go on when the last byte is read.
        var payloads: [[UInt8]] = []
        for count in [15, 16, 17, 31, 63, 64, 65] {
            let zeros = RawDeflate(level: 9).compress([UInt8](repeating: 0, count: count * 258 + 1))
            for cut in 0..<min(12, zeros.count) { payloads.append(zeros.dropLast(cut)) }
        }
        for payload in payloads {
            let server = try DeflatePeer.server { peer in
                peer.sendPayload(2, payload)
                peer.finish()
            }
            defer { server.stop() }
            let client = try WebSocketClient(server.url())
            do throws(WebSocketError) {
                _ = try client.readBinaryMessage()
                try client.close()
            } catch {
                #expect(error.code == .corruptedFrame)
            }
        }
    }
}
