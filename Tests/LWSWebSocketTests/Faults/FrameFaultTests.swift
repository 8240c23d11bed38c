// Servers that break the rules of RFC 6455 on an open connection, or drop it.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A faulty frame", .serialized)
struct FrameFaultTests {
    /// What a blocked reader gets when the server sends these bytes and leaves TCP open.
    private func readError(_ bytes: [UInt8], leadingMessages: Int = 0) throws -> WebSocketError? {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.send(bytes)
            peer.waitForEnd()
        }
        let healthy = try FrameCatcher()
        let other = try WebSocketClient(healthy.server.url())
        var configuration = ClientConfiguration()
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        for _ in 0..<leadingMessages { _ = try client.readMessage() }
        let error = failure { try client.readMessage() }
        #expect(!client.isOpen)
        #expect(failure { try client.writeTextMessage("x") }?.code == .connectionClosure)
        try other.writeTextMessage("the loop serves others")
        return error
    }

    private func frame(_ fin: Bool = true, _ rsv: UInt8 = 0, _ opcode: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        RawFrame(fin: fin, rsv: rsv, opcode: opcode, payload: payload).serverBytes
    }

    /// An empty frame, to have something behind the faulty one.
    private func frame(_ opcode: UInt8) -> [UInt8] { frame(true, 0, opcode) }

    @Test("of a reserved opcode is corruptedFrame", arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8])
    func opcode(_ opcode: UInt8) throws {
        #expect(try readError(frame(true, 0, opcode, [1]) + frame(1))?.code == .corruptedFrame)
    }

    @Test("with a reserved bit is corruptedFrame", arguments: [1, 2, 4, 7] as [UInt8])
    func reserved(_ bits: UInt8) throws {
        #expect(try readError(frame(true, bits, 1, [65]) + frame(1))?.code == .corruptedFrame)
    }

    @Test("of control that is fragmented or too long is corruptedFrame")
    func control() throws {
        #expect(try readError(frame(false, 0, 9, [1]) + frame(1))?.code == .corruptedFrame)
        #expect(
            try readError([0x89, 126, 0, 126] + [UInt8](repeating: 0, count: 126) + frame(1))?.code == .corruptedFrame
        )
        #expect(try readError([0x88, 1, 3] + frame(1))?.code == .corruptedFrame)
    }

    @Test(
        "of a close with a code that there cannot be is corruptedFrame, and answered with 1002",
        arguments: [5000, 65535])
    func closeCode(_ code: Int) throws {
        let answer = Locked<RawFrame?>(nil)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 8, [UInt8(code >> 8), UInt8(code & 255)] + Array("why".utf8))
            let frame = try? peer.readFrame()
            answer.withLock { $0 = frame }
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        #expect(failure { try client.readMessage() }?.code == .corruptedFrame)
        #expect(eventually { answer.withLock { $0?.closeCode } == 1002 })
        #expect(client.closure?.code == 1006)
    }

    @Test("behind one that was refused is not refused once more", arguments: Way.allCases)
    func refusedTwice(_ way: Way) throws {
        // Each takes some seconds, for the client waits for the answer to its close frame.
        let rounds = try (0..<40).map { round in
            try Background { try refuse(way, isBehindMasked: !round.isMultiple(of: 2)) }
        }
        for round in rounds { try round.value() }
    }

    private func refuse(_ way: Way, isBehindMasked: Bool) throws {
        let masked = RawFrame(opcode: 1, payload: [65]).clientBytes(key: [1, 2, 3, 4])
        let seen = Seen()
        let server = try RawServer(tls: way.identity()) { peer in
            _ = try? peer.acceptUpgrade(extraHeaders: way.answerLines)
            let large = RawFrame(opcode: 2, payload: [UInt8](repeating: 1, count: 20)).serverBytes
            peer.send(isBehindMasked ? large + masked : large)
            seen.read(1, from: peer)
            // The client reads on, for the answer to its close frame.
            peer.send(masked + masked)
            while let frame = try? peer.readFrame() { seen.add(frame) }
            seen.done()
        }
        defer { server.stop() }
        var configuration = try way.configuration()
        configuration.maxFrameSize = 10
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(failure { try client.readMessage() }?.code == .payloadTooLarge)
        #expect(try seen.all().map(\.closeCode) == [1009])
    }

    @Test("out of sequence is invalidContinuationFrame where a message had begun, else corruptedFrame")
    func sequence() throws {
        let inside = frame(false, 0, 1, [65]) + frame(true, 0, 1, [66]) + frame(1)
        #expect(try readError(inside)?.code == .invalidContinuationFrame)
        #expect(try readError(frame(true, 0, 0, [65]) + frame(1))?.code == .corruptedFrame)
    }

    @Test("that claims an impossible length is a typed error, and allocates nothing of the sort")
    func lengths() throws {
        // lws hands the first piece of a frame over when its buffer is full.
        let payload = [UInt8](repeating: 1, count: LoopContext.serviceBufferSize)
        let negative: [UInt8] = [0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] + payload
        #expect(try readError(negative)?.code == .corruptedFrame)
        let huge: [UInt8] = [0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] + payload
        let before = try ProcessMetrics.residentMemory()
        #expect(try readError(huge)?.code == .payloadTooLarge)
        let grown = try ProcessMetrics.residentMemory() - before
        // Less than the largest message that is allowed would take.
        #expect(Sanitizer.isActive || grown < 64 << 20, "\(grown >> 20) MiB")
    }

    @Test("does not take away the messages that came before it")
    func earlierMessages() throws {
        let bytes = frame(true, 0, 1, [65]) + frame(true, 0, 2, [66]) + frame(true, 0, 3) + frame(1)
        #expect(try readError(bytes, leadingMessages: 2)?.code == .corruptedFrame)
    }

    @Test("cut off in the middle of a message is a lost connection", arguments: [1, 2, 3, 10])
    func cutOff(_ bytes: Int) throws {
        for reset in [false, true] {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                peer.send(
                    Array(RawFrame(opcode: 1, payload: [UInt8](repeating: 65, count: 20)).serverBytes.prefix(bytes)))
                if reset { peer.reset() } else { peer.closeConnection() }
            }
            let client = try WebSocketClient(server.url())
            let error = failure { try client.readMessage() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure?.initiator == .network)
            #expect(error?.closure?.code == 1006)
        }
    }

    @Test("of random bytes is a typed error")
    func random() throws {
        for seed in 0..<100 as Range<UInt64> {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                var generator = SeededGenerator(seed: seed)
                peer.send((0..<5000).map { _ in UInt8.random(in: 0...255, using: &generator) })
            }
            var configuration = ClientConfiguration()
            configuration.readTimeout = Timing.ages
            let client = try WebSocketClient(server.url(), configuration: configuration)
            var error: WebSocketError?
            while error == nil { error = failure { try client.readMessage() } }
            #expect(error?.code != .readTimedOut)
        }
    }
}
