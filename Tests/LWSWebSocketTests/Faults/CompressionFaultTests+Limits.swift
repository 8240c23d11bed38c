// What a server that compresses may make of the client's limits.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

extension CompressionFaultTests {
    @Test("is held to maxFrameSize on the wire and to maxMessageSize behind it")
    func limits() throws {
        let server = try DeflatePeer.server { peer in
            peer.send(2, [UInt8](repeating: 0, count: 10_000))
            var random = SeededGenerator(seed: 5)
            peer.send(2, random.bytes(1001))
            peer.finish()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 1000
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readBinaryMessage().count == 10_000)
        let error = failure { try client.readMessage() }
        #expect(error?.code == .payloadTooLarge)
        #expect(error?.description.contains("Max frame length of 1000 has been exceeded") == true)
        configuration.maxMessageSize = 9_999
        let limited = try WebSocketClient(server.url(), configuration: configuration)
        let second = failure { try limited.readMessage() }
        #expect(second?.code == .payloadTooLarge)
        #expect(second?.description.contains("Max message length of 9999 has been exceeded") == true)
    }

    @Test("cannot make the client take 1 GB of memory with 1 MB on the wire", arguments: [1, 2] as [UInt8])
    func zipBomb(_ opcode: UInt8) throws {
        // A thousand frames of 1 MiB of zeros each, about 1 KiB compressed.
        let part = RawDeflate().compress([UInt8](repeating: 0, count: 1 << 20)) + [0, 0, 0xff, 0xff]
        let before = try ProcessMetrics.residentMemory()
        let used = Locked<[Int]>([])
        let server = try DeflatePeer.server { peer in
            for index in 0..<1024 {
                peer.connection.sendFrame(
                    fin: index == 1023, rsv: index == 0 ? 4 : 0, opcode: index == 0 ? opcode : 0, part)
                guard index % 16 == 15 else { continue }
                // The pong says that the client has taken in what came before the ping.
                peer.connection.sendFrame(opcode: 9)
                let answer = try peer.connection.readFrame()
                if answer.opcode == 8 { peer.connection.sendFrame(opcode: 8, answer.payload) }
                guard answer.opcode == 10 else { break }
                let now = try ProcessMetrics.residentMemory() - before
                used.withLock { $0.append(now) }
            }
            peer.finish()
        }
        defer { server.stop() }
        #expect((900_000...1_200_000).contains(part.count * 1024))
        var configuration = ClientConfiguration()
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let error = failure { try client.readMessage() }
        #expect(error?.code == .payloadTooLarge)
        #expect(error?.closure?.code == 1009)
        let all = used.withLock { $0 }
        #expect(all.count >= 3, "48 MiB are still allowed")
        // A quarter of what all of it would take.
        #expect(Sanitizer.isActive || all.allSatisfy { $0 < 256 << 20 }, "\(all.map { $0 >> 20 }) MiB")
    }
}
