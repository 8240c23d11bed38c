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
        (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
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
            guard enough.wait(until: Deadline(after: Timing.ages)) else { throw StillRunning(limit: Timing.ages) }
            return frames.withLock { $0 }
        }
    }

    private func expectLost(_ error: WebSocketError?, isRetriable: Bool = true) {
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
        #expect(error?.description.contains("did not answer a ping within") == true)
        #expect(error?.isRetriable == isRetriable)
    }

    /// A server that answers each ping.
    private func answering(_ pings: Pings) throws -> RawServer {
        try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                pings.add(frame)
                if frame.opcode == 9 { peer.sendFrame(opcode: 10, frame.payload) }
            }
        }
    }

    @Test("pings at every interval, never the same, and keeps the answers to itself")
    func intervals() throws {
        struct Handler: PingPongHandler {
            let pongs = Locked(0)
            func onPong(_ payload: [UInt8]) { pongs.withLock { $0 += 1 } }
        }
        let interval = Duration.milliseconds(50)
        let handler = Handler()
        var settings = configuration(every: interval, within: Timing.ages)
        settings.pingPongHandler = handler
        // The first one comes an interval after the opening, so that eight take eight.
        let kept = try Punctuality(of: interval * 8) { () -> Duration in
            let pings = Pings(wanted: 8)
            let server = try answering(pings)
            defer { server.stop() }
            let start = ContinuousClock.now
            let client = try WebSocketClient(server.url(), configuration: settings)
            let frames = try pings.wait()
            let time = ContinuousClock.now - start
            #expect(frames.allSatisfy { $0.opcode == 9 && $0.payload.count == 8 && $0.masked && $0.fin })
            #expect(Set(frames.map(\.payload)).count == frames.count)
            #expect(client.isOpen)
            try client.close(timeout: .zero)
            return time
        }
        #expect(kept.isKept, "\(kept)")
        #expect(handler.pongs.withLock { $0 } == 0, "those pongs are not the application's")
    }

    @Test("keeps the connection to a peer that answers")
    func answered() throws {
        let pings = Pings(wanted: .max)
        let server = try answering(pings)
        defer { server.stop() }
        let isKept = try succeedsWithSomeLimit { limit in
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: limit * 5 / 4, within: limit))
            let before = pings.frames.withLock { $0.count }
            // The first ping's time is over at 2.25 limits.
            let error = failure { try client.inside.read(timeout: limit * 4) }
            return error?.code == .readTimedOut && client.isOpen && pings.frames.withLock { $0.count } > before + 1
        }
        #expect(isKept)
    }

    @Test("ends a connection whose peer does not answer, in time, and wakes whoever is blocked")
    func unanswered() throws {
        let pings = Pings(wanted: .max)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() { pings.add(frame) }
        }
        defer { server.stop() }
        let kept = try Punctuality(of: .milliseconds(300)) { () -> Duration in
            let client = try WebSocketClient(
                unconnected: server.url(),
                configuration: configuration(
                    every: .milliseconds(200), within: .milliseconds(100)))
            // Never early is meant from the moment at which it is open, which is behind this one.
            let start = ContinuousClock.now
            try client.connect()
            expectLost(failure { try client.readMessage() })
            let time = ContinuousClock.now - start
            #expect(!client.isOpen)
            expectLost(failure { try client.writeTextMessage("x") })
            expectLost(failure { try client.roundTripTime() })
            try client.close()
            return time
        }
        #expect(kept.isKept, "\(kept)")
        #expect(pings.frames.withLock { $0.allSatisfy { $0.opcode == 9 } }, "no close frame either")
    }

    @Test("counts from the first ping without an answer where pings are more frequent than the limit")
    func frequent() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let kept = try Punctuality(of: .milliseconds(290)) { () -> Void in
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: .milliseconds(40), within: .milliseconds(250)))
            expectLost(failure { try client.readMessage() })
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("ends a connection whose peer does not even read, a blocked write too")
    func notReading() throws {
        let server = try StallingServer()
        let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        var begun = 0
        let kept = try Punctuality(of: .milliseconds(400)) { () -> Void in
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: .milliseconds(200), within: .milliseconds(200)))
            let writing = try Background { try client.writeBinaryMessage(message) }
            // On a busy machine the end may come first.
            var hasBegun = false
            _ = eventually {
                hasBegun = client.inside.isInsideMessage
                return hasBegun || client.inside.hasEnded
            }
            let error = failure { try writing.value() }
            #expect(error?.code == .connectionClosure)
            guard hasBegun else { return }
            // Some of it has left.
            expectLost(error, isRetriable: false)
            begun += 1
        }
        #expect(kept.isKept, "\(kept)")
        #expect(begun > 0)
        server.readOn()
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
        let isTaken = try succeedsWithSomeLimit { limit in
            let client = try WebSocketClient(
                server.url(), configuration: configuration(every: .milliseconds(30), within: limit))
            let start = ContinuousClock.now
            var time = Duration.zero
            repeat {
                guard let text = try? client.readTextMessage() else { return false }
                #expect(text == "still here")
                time = ContinuousClock.now - start
            } while time < limit * 2
            return client.isOpen
        }
        #expect(isTaken)
    }

    /// A client that pauses for its peer has sent so much. Where the machine is too busy, the peer is judged before it has;
    /// then there is another client.
    private func pausedClient(of server: RawServer, _ configuration: ClientConfiguration) throws -> WebSocketClient {
        for _ in 0..<20 {
            let client = try WebSocketClient(server.url(), configuration: configuration)
            _ = eventually { client.inside.isPaused || client.inside.hasEnded }
            if client.inside.isPaused, client.isOpen { return client }
        }
        throw PeerError("no client pauses")
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
        let kept = try Punctuality(of: .milliseconds(300)) { () -> Duration in
            let client = try pausedClient(
                of: server, configuration(every: .milliseconds(30), within: .milliseconds(300)))
            let ended = MonotonicSemaphore()
            try #require(client.inside.waitForEnd(signalling: ended))
            #expect(!ended.wait(until: Deadline(after: .milliseconds(700))), "it was judged")
            #expect(client.isOpen)
            // From here on it could answer, and does not.
            return try Timing.of {
                for _ in 0..<16 { _ = try client.readBinaryMessage() }
                expectLost(failure { try client.readMessage() })
            }
        }
        #expect(kept.isKept, "\(kept)")
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
        #expect(eventually { client.inside.isKeepAliveWaiting })
        #expect(client.inside.unsent <= 2)
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
        #expect(looked.wait(until: Deadline(after: Timing.ages)))
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
