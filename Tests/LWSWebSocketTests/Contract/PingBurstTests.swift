// Pings that come faster than pongs can leave (RFC 6455, section 5.5.3).

import LWSEchoServer
import LWSServiceLoop
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

private let eachIsAnswered = ConditionTrait.enabled(
    if: ReadGate.answersEachPing,
    "libwebsockets 4.4.2 and newer answer the first of several pings in one read of a client")

@Suite("Pings that arrive together", .serialized)
struct PingBurstTests {
    /// A server that sends `frames` in one piece, or in its own way, and hands on what comes back, control frames and data.
    private func answers(
        _ frames: [RawFrame], count: Int, compression: Bool = false,
        _ send: (@Sendable (RawConnection) -> Void)? = nil
    ) throws -> [RawFrame] {
        let seen = Seen()
        let server = try RawServer { peer in
            let lines = compression ? ["Sec-WebSocket-Extensions: permessage-deflate"] : []
            _ = try? peer.acceptUpgrade(extraHeaders: lines)
            if let send { send(peer) } else { peer.send(frames.flatMap(\.serverBytes)) }
            for _ in 0..<count {
                guard let frame = try? peer.readFrame() else { break }
                seen.add(frame)
            }
            seen.done()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        let all = try seen.all()
        #expect(client.isOpen)
        #expect(!client.inside.isPaused)
        return all
    }

    private static func pings(_ count: Int) -> [RawFrame] {
        (0..<count).map { RawFrame(opcode: 9, payload: Array("payload-\($0)".utf8)) }
    }

    @Test("are answered one by one, in order", eachIsAnswered, arguments: [2, 10, 1000])
    func inOrder(_ count: Int) throws {
        let pings = Self.pings(count)
        for compression in compressionOffAndOn {
            let pongs = try answers(pings, count: count, compression: compression)
            #expect(pongs.map(\.payload) == pings.map(\.payload))
            #expect(pongs.allSatisfy { $0.opcode == 10 })
        }
    }

    @Test("or one shortly after the other, are answered one by one", eachIsAnswered, arguments: compressionOffAndOn)
    func oneByOne(_ compression: Bool) throws {
        let pings = Self.pings(10)
        for round in 0..<200 {
            let pongs = try answers(pings, count: pings.count, compression: compression) { peer in
                for ping in pings {
                    peer.send(ping.serverBytes)
                    // Some of them arrive while a pong is on its way, others before.
                    for _ in 0..<(round * 37 % 2000) { _ = ping.payload.count }
                }
            }
            #expect(pongs.map(\.payload) == pings.map(\.payload))
        }
    }

    @Test(
        "are answered with the first of them at least, and what comes after is as well",
        arguments: compressionOffAndOn)
    func firstOfEach(_ compression: Bool) throws {
        let rounds = 50
        let seen = Seen()
        let server = try RawServer { peer in
            let lines = compression ? ["Sec-WebSocket-Extensions: permessage-deflate"] : []
            _ = try? peer.acceptUpgrade(extraHeaders: lines)
            for round in 0..<rounds {
                let burst = (0..<3).map { RawFrame(opcode: 9, payload: Array("\(round): \($0)".utf8)) }
                peer.send(burst.flatMap(\.serverBytes))
                guard let first = try? peer.readFrame() else { break }
                seen.add(first)
                let last = Array("\(round): by itself".utf8)
                peer.sendFrame(opcode: 9, last)
                // Before its answer there may be those of the second and the third.
                while let frame = try? peer.readFrame() {
                    guard frame.payload == last else { continue }
                    seen.add(frame)
                    break
                }
            }
            seen.done()
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        let pongs = try seen.all().map { String(decoding: $0.payload, as: UTF8.self) }
        #expect(pongs == (0..<rounds).flatMap { ["\($0): 0", "\($0): by itself"] })
        #expect(client.isOpen)
    }

    @Test("between the frames of messages are answered where each is, and the messages are whole")
    func betweenFrames() throws {
        let parts = 50
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            var bytes: [UInt8] = []
            for (number, ping) in Self.pings(parts).enumerated() {
                let part = RawFrame(
                    fin: number == parts - 1, opcode: number == 0 ? 1 : 0, payload: Array("part \(number);".utf8))
                bytes += part.serverBytes + ping.serverBytes + ping.serverBytes
            }
            peer.send(bytes)
            for _ in 0..<(ReadGate.answersEachPing ? 2 * parts : 0) {
                guard let frame = try? peer.readFrame() else { break }
                seen.add(frame)
            }
            seen.done()
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        #expect(try client.readTextMessage() == (0..<parts).map { "part \($0);" }.joined())
        let pongs = ReadGate.answersEachPing ? Self.pings(parts).flatMap { [$0.payload, $0.payload] } : []
        #expect(try seen.all().map(\.payload) == pongs)
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
