// pingInterval and pongTimeout.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Keep-alive", .serialized)
struct KeepAliveTests {
    private func configuration(every interval: Duration?, within limit: Duration?) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.pingInterval = interval
        configuration.pongTimeout = limit
        // What does not end by the keep-alive shall fail, not hang.
        (configuration.readTimeout, configuration.writeTimeout) = (.seconds(10), .seconds(10))
        return configuration
    }

    /// Counts pings of eight bytes; says so after the wanted number.
    private struct Pings: Sendable {
        let frames = Locked<[RawFrame]>([])
        let enough = MonotonicSemaphore()
        let wanted: Int

        func add(_ frame: RawFrame) {
            let count = frames.withLock { frames in
                frames.append(frame)
                return frames.count
            }
            if count == wanted { enough.signal() }
        }

        func wait() throws -> [RawFrame] {
            guard enough.wait(until: Deadline(after: .seconds(20))) else { throw StillRunning(limit: .seconds(20)) }
            return frames.withLock { $0 }
        }
    }

    private func expectLost(_ error: WebSocketError?, isRetriable: Bool = true) {
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
        #expect(error?.description.contains("did not answer a ping within") == true)
        #expect(error?.isRetriable == isRetriable)
    }

    @Test("pings at every interval, never the same, and a peer that answers stays connected")
    func answered() throws {
        let pings = Pings(wanted: 8)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                pings.add(frame)
                peer.sendFrame(opcode: 10, frame.payload)
            }
        }
        defer { server.stop() }
        struct Handler: PingPongHandler {
            let pongs = Locked(0)
            func onPong(_ payload: [UInt8]) { pongs.withLock { $0 += 1 } }
        }
        let handler = Handler()
        var configuration = configuration(every: .milliseconds(50), within: .milliseconds(40))
        configuration.pingPongHandler = handler
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let start = ContinuousClock.now
        let frames = try pings.wait()
        #expect(ContinuousClock.now - start >= .milliseconds(7 * 50))
        #expect(ContinuousClock.now - start < .milliseconds(8 * 50 + 50))
        #expect(frames.allSatisfy { $0.opcode == 9 && $0.payload.count == 8 && $0.masked && $0.fin })
        #expect(Set(frames.map(\.payload)).count == frames.count)
        #expect(client.isOpen)
        try client.close(timeout: .zero)
        #expect(handler.pongs.withLock { $0 } == 0, "those pongs are not the application's")
    }

    @Test("ends a connection whose peer does not answer, in time, and wakes whoever is blocked")
    func unanswered() throws {
        let pings = Pings(wanted: .max)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() { pings.add(frame) }
        }
        defer { server.stop() }
        let time = try Timing.best(of: 3) {
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: .milliseconds(100), within: .milliseconds(60)))
            expectLost(failure { try client.readMessage() })
            #expect(!client.isOpen)
            expectLost(failure { try client.writeTextMessage("x") })
            expectLost(failure { try client.roundTripTime() })
            try client.close()
        }
        #expect(time.isAbout(.milliseconds(160)), "\(time)")
        #expect(pings.frames.withLock { $0.allSatisfy { $0.opcode == 9 } }, "no close frame either")
    }

    @Test("counts from the first ping without an answer where pings are more frequent than the limit")
    func frequent() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let time = try Timing.best(of: 3) {
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: .milliseconds(40), within: .milliseconds(150)))
            expectLost(failure { try client.readMessage() })
        }
        #expect(time.isAbout(.milliseconds(190)), "\(time)")
    }

    @Test("ends a connection whose peer does not even read, a blocked write too")
    func notReading() throws {
        let server = try StallingServer()
        let time = try Timing.best(of: 2) {
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: .milliseconds(100), within: .milliseconds(100)))
            let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
            // Some of it has left.
            expectLost(failure { try client.writeBinaryMessage(message) }, isRetriable: false)
        }
        #expect(time >= .milliseconds(200) && time < .milliseconds(400), "\(time)")
        for _ in 0..<2 { server.readOn() }
        server.server.stop()
    }

    @Test("takes any data for a sign of life")
    func data() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            // Two messages for each ping, no pongs.
            while let frame = try? peer.readFrame(), frame.opcode == 9 {
                peer.sendFrame(fin: false, opcode: 1, Array("still ".utf8))
                peer.sendFrame(opcode: 0, Array("here".utf8))
            }
        }
        defer { server.stop() }
        let client = try WebSocketClient(
            server.url(), configuration: configuration(every: .milliseconds(30), within: .milliseconds(60)))
        for _ in 0..<10 { #expect(try client.readTextMessage() == "still here") }
        #expect(client.isOpen)
    }

    @Test("judges nobody while the application does not read, and judges again afterwards")
    func paused() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            let payload = [UInt8](repeating: 1, count: 65536)
            // As many as make the client pause, and none that would lie in its socket as a sign of life.
            for _ in 0..<16 where peer.sendFrame(opcode: 2, payload) {}
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try WebSocketClient(
            server.url(), configuration: configuration(every: .milliseconds(30), within: .milliseconds(150)))
        #expect(eventually(within: .seconds(10)) { client.connection.query { $0.inbound.isPaused } })
        let ended = MonotonicSemaphore()
        #expect(client.connection.query { $0.waitForEnd(waking: .blocked(ended)) })
        #expect(!ended.wait(until: Deadline(after: .milliseconds(500))), "it was judged")
        #expect(client.isOpen)
        // From here on it could answer, and does not.
        let time = try Timing.of {
            for _ in 0..<16 { _ = try client.readBinaryMessage() }
            expectLost(failure { try client.readMessage() })
        }
        #expect(time >= .milliseconds(150) && time < .milliseconds(250), "\(time)")
    }

    @Test("without a limit only pings")
    func noLimit() throws {
        let pings = Pings(wanted: 6)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() { pings.add(frame) }
        }
        defer { server.stop() }
        let client = try WebSocketClient(
            server.url(), configuration: configuration(every: .milliseconds(20), within: nil))
        #expect(try pings.wait().count >= 6)
        #expect(client.isOpen)
    }

    @Test("sends one ping at most that cannot leave")
    func notPiledUp() throws {
        let server = try StallingServer()
        let client = try WebSocketClient(
            server.url(), configuration: configuration(every: .milliseconds(1), within: nil))
        let writing = try server.stuckWrite(on: client)
        #expect(writing.isBlocked(for: .milliseconds(200)))
        #expect(client.connection.query { $0.ownPings.isKeepAliveWaiting })
        #expect(client.connection.query { $0.outbound.count } <= 2)
        try client.close(timeout: .zero)
        #expect(failure { try writing.value() }?.code == .connectionClosure)
    }

    @Test("is off by default: no ping leaves")
    func off() throws {
        let isQuiet = Locked<Bool?>(nil)
        let looked = MonotonicSemaphore()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            let quiet = peer.isQuiet(for: .milliseconds(300))
            isQuiet.withLock { $0 = quiet }
            looked.signal()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        #expect(looked.wait(until: Deadline(after: .seconds(10))))
        #expect(isQuiet.withLock { $0 } == true)
        #expect(client.isOpen)
    }

    @Test("takes times of any length")
    func longTimes() throws {
        let server = try FrameCatcher()
        let client = try WebSocketClient(
            server.server.url(),
            configuration: configuration(every: .seconds(Int64.max), within: .seconds(Int64.max)))
        try client.writeTextMessage("x")
        #expect(try server.next(1).map(\.opcode) == [1])
        try client.close()
    }
}
