// Pings that come faster than pongs can leave (RFC 6455, section 5.5.3).

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Pings that arrive together", .serialized)
struct PingBurstTests {
    /// What a server takes down that does `script` with a client.
    private func seen(
        _ way: Way = .plain, withTheUpgrade frames: [RawFrame] = [],
        by script: @escaping @Sendable (RawConnection, Seen) -> Void,
        of use: (WebSocketClient) throws -> Void = { _ in }
    ) throws -> [RawFrame] {
        let seen = Seen()
        let server = try RawServer(tls: way.identity()) { peer in
            _ = try? peer.acceptUpgrade(extraHeaders: way.answerLines, followedBy: frames)
            script(peer, seen)
            seen.done()
            peer.waitForEnd()
        }
        defer { server.stop() }
        var configuration = try way.configuration()
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try use(client)
        let all = try seen.all()
        #expect(client.isOpen)
        #expect(!client.inside.isPaused)
        return all
    }

    /// What comes back for frames in one piece.
    private func answers(
        _ frames: [RawFrame], count: Int, _ way: Way, _ use: (WebSocketClient) throws -> Void = { _ in }
    ) throws -> [RawFrame] {
        try seen(
            way,
            by: { peer, seen in
                peer.send(frames.flatMap(\.serverBytes))
                seen.read(count, from: peer)
            }, of: use)
    }

    /// What comes back to a server that looks at it when it has sent everything, and then pings once more. The answer to that is
    /// not among it.
    private func pongs(_ way: Way, after send: @escaping @Sendable (RawConnection) -> Void) throws -> [RawFrame] {
        let late = RawFrame(opcode: 9, payload: [1, 2, 3])
        let pongs = try seen(
            way,
            by: { peer, seen in
                send(peer)
                peer.sendFrame(opcode: 1, Array("all sent".utf8))
                while let frame = try? peer.readFrame(), frame.opcode == 10 { seen.add(frame) }
                peer.send(late.serverBytes)
                seen.read(1, from: peer)
            },
            of: { client throws in
                #expect(try client.readTextMessage() == "all sent")
                try client.writeTextMessage("read")
            })
        #expect(pongs.last?.payload == late.payload)
        return pongs.dropLast()
    }

    private static func pings(_ count: Int) -> [RawFrame] {
        (0..<count).map { RawFrame(opcode: 9, payload: Array("payload-\($0)".utf8)) }
    }

    @Test("are answered one by one, in order", arguments: [2, 10, 1000], Way.allCases)
    func inOrder(_ count: Int, _ way: Way) throws {
        let pings = Self.pings(count)
        let pongs = try answers(pings, count: count, way)
        #expect(pongs.map(\.payload) == pings.map(\.payload))
        #expect(pongs.allSatisfy { $0.opcode == 10 })
    }

    @Test("with the answer to the upgrade, too", arguments: [2, 10, 1000], Way.allCases)
    func withTheUpgrade(_ count: Int, _ way: Way) throws {
        let pings = Self.pings(count)
        let pongs = try seen(way, withTheUpgrade: pings, by: { peer, seen in seen.read(count, from: peer) })
        #expect(pongs.map(\.payload) == pings.map(\.payload))
    }

    @Test("or one shortly after the other, are answered one by one", arguments: Way.allCases)
    func oneByOne(_ way: Way) throws {
        let pings = Self.pings(10)
        for round in 0..<200 {
            let pongs = try seen(
                way,
                by: { peer, seen in
                    for ping in pings {
                        peer.send(ping.serverBytes)
                        // Some of them arrive while a pong is on its way, others before.
                        for _ in 0..<(round * 37 % 2000) { _ = ping.payload.count }
                    }
                    seen.read(pings.count, from: peer)
                })
            #expect(pongs.map(\.payload) == pings.map(\.payload))
        }
    }

    @Test("again and again, and each by itself in between, are answered one by one", arguments: Way.allCases)
    func bursts(_ way: Way) throws {
        let rounds = 50
        let names = ["first", "second", "third"]
        let pongs = try seen(
            way,
            by: { peer, seen in
                for _ in 0..<rounds {
                    for pings in [names, ["by itself"]] {
                        peer.send(pings.flatMap { RawFrame(opcode: 9, payload: Array($0.utf8)).serverBytes })
                        seen.read(pings.count, from: peer)
                    }
                }
            })
        #expect(pongs.map(\.text) == (0..<rounds).flatMap { _ in names + ["by itself"] })
    }

    @Test(
        "between the frames of messages are answered where each is, and the messages are whole",
        arguments: Way.allCases)
    func betweenFrames(_ way: Way) throws {
        let parts = 50
        let frames = Self.pings(parts).enumerated().flatMap { number, ping in
            [
                RawFrame(
                    fin: number == parts - 1, opcode: number == 0 ? 1 : 0, payload: Array("part \(number);".utf8)),
                ping, ping,
            ]
        }
        let pongs = try answers(frames, count: 2 * parts, way) { client throws in
            #expect(try client.readTextMessage() == (0..<parts).map { "part \($0);" }.joined())
        }
        #expect(pongs.map(\.payload) == Self.pings(parts).flatMap { [$0.payload, $0.payload] })
    }

    @Test(
        "behind more messages than are kept are answered, at the latest when those are read", arguments: Way.allCases)
    func behindMessages(_ way: Way) throws {
        let pings = Self.pings(10_000)
        let padding = [UInt8](repeating: 32, count: 100)
        let frames = pings.flatMap { [RawFrame(opcode: 2, payload: $0.payload + padding), $0] }
        let pongs = try answers(frames, count: pings.count, way) { client throws in
            #expect(eventually { client.inside.isPaused })
            for ping in pings { #expect(try client.readBinaryMessage() == ping.payload + padding) }
        }
        #expect(pongs.map(\.payload) == pings.map(\.payload))
    }

    @Test(
        "from a server that takes no pongs are read all the same, and answered again once it does",
        arguments: Way.allCases)
    func unreadPongs(_ way: Way) throws {
        // More than the system keeps for either side.
        let (chunks, size) = (20, 10_000)
        let padding = String(repeating: " ", count: 100)
        let pongs = try pongs(way) { peer in
            for chunk in 0..<chunks {
                let pings = (chunk * size..<(chunk + 1) * size).map {
                    RawFrame(opcode: 9, payload: Array("\($0)\(padding)".utf8))
                }
                peer.send(pings.flatMap(\.serverBytes))
            }
        }
        let numbers = pongs.compactMap { Int(String(decoding: $0.payload.prefix { $0 != 32 }, as: UTF8.self)) }
        #expect(numbers.count == pongs.count)
        #expect(numbers.first == 0)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test(
        "by the thousands in one read are answered, up to a number, and what comes after is", arguments: Way.allCases)
    func thousands(_ way: Way) throws {
        let count = 30_000
        let pongs = try pongs(way) { $0.send(Array([[UInt8]](repeating: [0x89, 0], count: count).joined())) }
        #expect((1000...count).contains(pongs.count))
    }

    @Test("from a server that resets the connection do no harm", arguments: Way.allCases)
    func reset(_ way: Way) throws {
        let pings = Self.pings(1000).flatMap(\.serverBytes)
        for round in 0..<100 {
            let server = try RawServer(tls: way.identity()) { peer in
                _ = try? peer.acceptUpgrade(extraHeaders: way.answerLines)
                peer.send(pings)
                // Now with pongs on their way, then before there are any.
                if round.isMultiple(of: 2) { _ = try? peer.readFrame() }
                peer.reset()
            }
            defer { server.stop() }
            guard let client = try? WebSocketClient(server.url(), configuration: way.configuration()) else {
                continue
            }
            #expect(failure { try client.readMessage() }?.code == .connectionClosure)
        }
    }

    @Test("are answered one by one by the echo server too, over TLS as well", arguments: [false, true])
    func byServer(_ isSecure: Bool) throws {
        let pongs = CountedPongs()
        var configuration = try ClientConfiguration.secure()
        configuration.pingPongHandler = pongs
        let peer = try SecurePeer(.echo)
        let plain = try EchoServer()
        let client = try WebSocketClient(
            isSecure ? peer.url() : "ws://127.0.0.1:\(plain.port)/echo", configuration: configuration)
        for number in 0..<100 {
            let pinging = try (0..<4).map { _ in try Background { try client.ping([1]) } }
            try client.writeTextMessage("message \(number)")
            #expect(try client.readTextMessage() == "message \(number)")
            for ping in pinging { try ping.value() }
        }
        #expect(eventually { pongs.count == 400 })
    }

    @Test("with a close frame behind them do not hold it up")
    func closeBehind() throws {
        // The frames come after this time. Nothing else takes long.
        let delay = Duration.milliseconds(400)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            _ = MonotonicSemaphore().wait(until: Deadline(after: delay))
            peer.send((Self.pings(20) + [RawFrame(opcode: 8, payload: [0x03, 0xe8])]).flatMap(\.serverBytes))
            peer.waitForEnd()
        }
        var configuration = ClientConfiguration()
        configuration.readTimeout = Timing.ages
        let kept = try Punctuality(of: delay) { () -> Void in
            let client = try WebSocketClient(server.url(), configuration: configuration)
            #expect(failure { try client.readMessage() }?.closure?.code == 1000)
        }
        #expect(kept.isKept, "\(kept)")
    }
}

private final class CountedPongs: PingPongHandler {
    private let number = Locked(0)
    var count: Int { number.withLock { $0 } }
    func onPong(_ payload: [UInt8]) { number.withLock { $0 += 1 } }
}
