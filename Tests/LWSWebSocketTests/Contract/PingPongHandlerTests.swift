// The contract's pingPongHandler.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The handler of pongs", .serialized)
struct PingPongHandlerTests {
    /// Keeps what it is told; may be made to wait.
    private struct Collector: PingPongHandler {
        let payloads = Locked<[[UInt8]]>([])
        let arrived = MonotonicSemaphore()
        var gate: MonotonicSemaphore?

        func onPong(_ payload: [UInt8]) {
            _ = gate?.wait(until: Deadline(after: Timing.ages))
            payloads.withLock { $0.append(payload) }
            arrived.signal()
        }

        func wait(for count: Int) -> [[UInt8]] {
            for _ in 0..<count where !arrived.wait(until: Deadline(after: Timing.ages)) { break }
            return payloads.withLock { $0 }
        }
    }

    private func configuration(_ handler: Collector) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.pingPongHandler = handler
        return configuration
    }

    @Test("is told of every pong, in order, with the ping's payload")
    func inOrder() throws {
        let server = try EchoServer()
        let handler = Collector()
        let client = try WebSocketClient(server.url(), configuration: configuration(handler))
        for index in 0..<20 as Range<UInt8> {
            try client.ping([index])
            #expect(handler.wait(for: 1).last == [index])
        }
        try client.ping()
        #expect(handler.wait(for: 1).last == [])
        try client.close()
    }

    @Test("is told of unsolicited pongs too, and may use the client")
    func unsolicited() throws {
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 10, [1, 2, 3])
            if let frame = try? peer.readFrame() { seen.add(frame) }
            seen.done()
        }
        struct Answering: PingPongHandler {
            let client = Locked<WebSocketClient?>(nil)
            let isReady = MonotonicSemaphore()
            func onPong(_ payload: [UInt8]) {
                _ = isReady.wait(until: Deadline(after: Timing.ages))
                try? client.withLock { $0 }?.writeBinaryMessage(payload)
            }
        }
        let handler = Answering()
        var configuration = ClientConfiguration()
        configuration.pingPongHandler = handler
        let client = try WebSocketClient(server.url(), configuration: configuration)
        handler.client.withLock { $0 = client }
        handler.isReady.signal()
        #expect(try seen.all().map(\.payload) == [[1, 2, 3]])
        handler.client.withLock { $0 = nil }
    }

    @Test("that is slow makes the client stop reading, and loses nothing")
    func slow() throws {
        let count = 500
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            for index in 0..<count { peer.sendFrame(opcode: 10, [UInt8(truncatingIfNeeded: index)]) }
            peer.waitForEnd()
        }
        let gate = MonotonicSemaphore()
        let handler = Collector(gate: gate)
        let client = try WebSocketClient(server.url(), configuration: configuration(handler))
        #expect(eventually { client.inside.isPaused })
        for _ in 0..<count { gate.signal() }
        #expect(handler.wait(for: count) == (0..<count).map { [UInt8(truncatingIfNeeded: $0)] })
        #expect(eventually { !client.inside.isPaused })
        try client.close(timeout: .zero)
    }

    @Test(
        "may wait for the client while more pongs wait for it than may, after losses as well",
        arguments: [false, true])
    func waiting(_ isSecure: Bool) throws {
        // A connection is lost five times; on each, more pongs come than keep the client from reading, and then a message.
        let server = try NumberedServer(tls: isSecure ? TLSIdentity(CertificateAuthority.shared.server(.good)) : nil)
        { number, peer in
            try peer.acceptUpgrade()
            for _ in 0..<(3 * InboundQueue.maxPongs) { peer.sendFrame(opcode: 10, [UInt8(number)]) }
            peer.sendFrame(opcode: 1, [65])
            while let frame = try? peer.readFrame() {
                if frame.opcode == 9 { peer.sendFrame(opcode: 10, frame.payload) }
                if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
                if frame.opcode == 1 { return peer.closeConnection() }
            }
        }
        defer { server.stop() }
        final class Using: PingPongHandler {
            let client = Locked<WebSocketClient?>(nil)
            let isReady = MonotonicSemaphore()
            let isFirst = Locked(true)
            let outcome = Locked<Result<[String], any Error>?>(nil)
            let isDone = MonotonicSemaphore()

            func onPong(_ payload: [UInt8]) {
                guard
                    isFirst.withLock({ isFirst in
                        defer { isFirst = false }
                        return isFirst
                    })
                else { return }
                _ = isReady.wait(until: Deadline(after: Timing.ages))
                let outcome = Result { try client.withLock { $0 }.map(use) ?? [] }
                self.outcome.withLock { $0 = outcome }
                isDone.signal()
            }

            private func use(_ client: WebSocketClient) throws -> [String] {
                var texts: [String] = []
                for number in 0...5 {
                    texts.append(try client.readTextMessage())
                    _ = try client.roundTripTime(timeout: Timing.ages)
                    if number < 5 { try client.writeTextMessage("next") } else { try client.close() }
                }
                return texts
            }
        }
        let handler = Using()
        var configuration = isSecure ? try SecureFaults.configuration() : ClientConfiguration()
        configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1))
        configuration.pingPongHandler = handler
        let client = try WebSocketClient(server.url(), configuration: configuration)
        handler.client.withLock { $0 = client }
        handler.isReady.signal()
        try #require(handler.isDone.wait(until: Deadline(after: Timing.ages)))
        #expect(try handler.outcome.withLock { try $0?.get() } == Array(repeating: "A", count: 6))
        #expect(client.closure?.isClean == true)
        handler.client.withLock { $0 = nil }
    }

    @Test("is not needed: pongs are read past without one")
    func none() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            for _ in 0..<1000 { peer.sendFrame(opcode: 10, [1]) }
            peer.sendFrame(opcode: 1, [65])
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        #expect(try client.readTextMessage() == "A")
    }

    @Test("that hangs does not gather pongs without end, whatever connections they come from")
    func bounded() {
        struct Hanging: PingPongHandler {
            let gate = MonotonicSemaphore()
            func onPong(_ payload: [UInt8]) {
                _ = gate.wait(until: Deadline(after: Timing.ages))
                gate.signal()
            }
        }
        let handler = Hanging()
        let delivery = PongDelivery(handler)
        let taken = (0..<PongDelivery.limit + 1000).count { _ in delivery.deliver([]) {} }
        #expect(taken == PongDelivery.limit)
        handler.gate.signal()
        #expect(eventually { delivery.deliver([]) {} })
    }
}
