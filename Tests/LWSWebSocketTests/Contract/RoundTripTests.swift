// The time a ping's answer takes.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The round-trip time", .serialized)
struct RoundTripTests {
    /// A server that accepts the upgrade, hands each ping to the script, and sends each text back.
    private func server(
        _ onPing: @escaping @Sendable (RawConnection, RawFrame) -> Void
    ) throws -> RawServer {
        try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                if frame.opcode == 9 { onPing(peer, frame) }
                if frame.opcode == 1 { peer.sendFrame(opcode: 1, frame.payload) }
                if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
            }
        }
    }

    @Test("is short on this machine, within the call that measures it, and each ping has a payload of its own")
    func short() throws {
        let seen = Locked<[RawFrame]>([])
        let server = try server { peer, ping in
            seen.withLock { $0.append(ping) }
            peer.sendFrame(opcode: 10, ping.payload)
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        var (times, echoes): ([Duration], [Duration]) = ([], [])
        for _ in 0..<20 {
            var time = Duration.zero
            let call = try Timing.of { time = try client.roundTripTime(timeout: Timing.ages) }
            #expect(time > .zero && time <= call, "\(time) of \(call)")
            times.append(time)
            echoes.append(try Timing.of { try client.exchange() })
        }
        // Beside what a message takes, there and back, on the same machine at the same time.
        let echo = echoes.sorted()[10]
        #expect(times.sorted()[10] < max(.milliseconds(5), echo * 5), "\(times), messages \(echoes)")
        let payloads = seen.withLock { $0.map(\.payload) }
        #expect(Set(payloads).count == 20)
    }

    @Test("is the time that the peer takes, whatever else arrives before")
    func slow() throws {
        let delay = Duration.milliseconds(200)
        let server = try server { peer, ping in
            peer.sendFrame(opcode: 10, [1, 2, 3])
            peer.sendFrame(opcode: 1, Array("text".utf8))
            _ = MonotonicSemaphore().wait(until: Deadline(after: delay))
            peer.sendFrame(opcode: 10, ping.payload)
        }
        defer { server.stop() }
        struct Handler: PingPongHandler {
            let pongs = Locked<[[UInt8]]>([])
            let arrived = MonotonicSemaphore()
            func onPong(_ payload: [UInt8]) {
                pongs.withLock { $0.append(payload) }
                arrived.signal()
            }
        }
        let handler = Handler()
        var configuration = ClientConfiguration()
        configuration.pingPongHandler = handler
        let client = try WebSocketClient(server.url(), configuration: configuration)
        var count = 0
        let kept = try Punctuality(of: delay) { () -> Duration in
            count += 1
            return try client.roundTripTime(timeout: Timing.ages)
        }
        #expect(kept.isKept, "\(kept)")
        for _ in 0..<count { #expect(handler.arrived.wait(until: Deadline(after: Timing.ages))) }
        #expect(handler.pongs.withLock { $0 } == Array(repeating: [1, 2, 3], count: count))
    }

    @Test("runs out with readTimedOut, in time; the connection stays open, and a late pong disturbs nobody")
    func timeout() throws {
        let held = Locked<[RawFrame]>([])
        let mayAnswer = Locked(false)
        let server = try server { peer, ping in
            let late = held.withLock { held in
                held.append(ping)
                return mayAnswer.withLock { $0 } ? held : []
            }
            for ping in late { peer.sendFrame(opcode: 10, ping.payload) }
        }
        defer { server.stop() }
        struct Handler: PingPongHandler {
            let pongs = Locked(0)
            func onPong(_ payload: [UInt8]) { pongs.withLock { $0 += 1 } }
        }
        let handler = Handler()
        var configuration = ClientConfiguration()
        configuration.pingPongHandler = handler
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let kept = Punctuality(of: .milliseconds(150)) { () -> Void in
            let error = failure { try client.roundTripTime(timeout: .milliseconds(150)) }
            #expect(error?.code == .readTimedOut)
            #expect(error?.closure == nil)
        }
        #expect(kept.isKept, "\(kept)")
        mayAnswer.withLock { $0 = true }
        #expect(client.isOpen)
        #expect(try client.roundTripTime(timeout: Timing.ages) > .zero)
        #expect(handler.pongs.withLock { $0 } == 0)
    }

    @Test("of a ping that cannot leave runs out too, and the ping is taken back")
    func cannotLeave() throws {
        let server = try StallingServer()
        let client = try WebSocketClient(server.url())
        let writing = try server.stuckWrite(on: client)
        #expect(failure { try client.roundTripTime(timeout: .milliseconds(50)) }?.code == .readTimedOut)
        #expect(client.inside.unsent == 1)
        #expect(client.isOpen)
        try client.close(timeout: .zero)
        #expect(failure { try writing.value() }?.code == .connectionClosure)
    }

    @Test("can be measured by several threads at once, against a peer that answers the latest ping alone")
    func latestAlone() throws {
        let count = 5
        let pings = Locked(0)
        let server = try server { peer, ping in
            let number = pings.withLock { pings in
                pings += 1
                return pings
            }
            if number == count { peer.sendFrame(opcode: 10, ping.payload) }
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        let threads = try (0..<count).map { _ in try Background { try client.roundTripTime(timeout: Timing.ages) } }
        for thread in threads { #expect(try thread.value() > .zero) }
    }

    @Test("works beside keep-alive pings, reads and writes of other threads")
    func beside() throws {
        let server = try EchoServer()
        var configuration = ClientConfiguration()
        configuration.pingInterval = .milliseconds(1)
        configuration.pongTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let echo = try Background {
            for index in 0..<200 {
                try client.writeTextMessage("\(index)")
                guard try client.readTextMessage() == "\(index)" else { throw StillRunning(limit: .zero) }
            }
        }
        let threads = try (0..<4).map { _ in
            try Background { try (0..<50).map { _ in try client.roundTripTime(timeout: Timing.ages) }.count }
        }
        for thread in threads { #expect(try thread.value() == 50) }
        try echo.value()
        try client.close()
    }

    @Test("ends with connectionClosure when the connection does", arguments: ["close", "peer", "lost"])
    func end(_ how: String) throws {
        let server = try server { peer, _ in
            if how == "peer" { peer.sendFrame(opcode: 8, [0x0f, 0xa0]) }
            if how == "lost" { peer.reset() }
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        let measuring = try Background { try client.roundTripTime(timeout: nil) }
        if how == "close" {
            #expect(measuring.isBlocked())
            try client.close()
        }
        let error = failure { try measuring.value() }
        #expect(error?.code == .connectionClosure)
        let initiators: [String: WebSocketError.Closure.Initiator] = [
            "close": .local, "peer": .peer, "lost": .network,
        ]
        #expect(error?.closure?.initiator == initiators[how])
        #expect(failure { try client.roundTripTime() }?.code == .connectionClosure)
    }

    @Test("cannot be had before the connection is there")
    func unconnected() throws {
        let client = try WebSocketClient(unconnected: "ws://127.0.0.1:9/")
        #expect(failure { try client.roundTripTime() }?.code == .invalidArgument)
    }
}
