// Frames and payloads in a client's log.

import LWSEchoServer
import LWSServiceLoop
import Logging
import TestConditions
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A client's log of frames and messages")
struct FrameLogTests {
    /// Frames as a log tells of them.
    private func frames(_ log: RecordedLog) -> [String] {
        log.lines.filter { $0.message.hasPrefix("frame ") }.map { line in
            let isFinal = line.facts["ws_final"] == "true" ? "" : ", more"
            return "\(line.message): \(line.facts["ws_frame"] ?? "?") \(line.facts["ws_bytes"] ?? "?")\(isFinal)"
        }
    }

    @Test("tells of each frame by kind and size, as it goes over the wire")
    func frames() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.maxFrameSize = 1000
        let client = try WebSocketClient(server.url("/fragments/2"), configuration: configuration)
        try client.writeBinaryMessage([UInt8](repeating: 1, count: 1500))
        #expect(try client.readBinaryMessage().count == 1500)
        try client.ping([1, 2, 3])
        _ = try client.roundTripTime(timeout: Timing.ages)
        try client.writeMessages([.text("a"), .text("bc")])
        for _ in 0..<2 { _ = try client.readTextMessage() }
        try client.close(statusCode: 1000, reason: "done")
        let sent = frames(log).filter { $0.hasPrefix("frame sent") }
        #expect(
            sent == [
                "frame sent: binary 1000, more", "frame sent: continuation 500", "frame sent: ping 3",
                "frame sent: ping 8", "frame sent: text 1", "frame sent: text 2", "frame sent: close 6",
            ])
        let received = frames(log).filter { $0.hasPrefix("frame received") }
        #expect(received.prefix(2) == ["frame received: binary 750, more", "frame received: continuation 750"])
        #expect(received.contains("frame received: pong 8"))
        #expect(received.last == "frame received: close 6")
    }

    @Test("tells of compressed frames by what they are compressed to", .needsCompression)
    func compressed() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.webSocketCompressionEnabled = true
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.exchange(String(repeating: "a", count: 30_000))
        try client.close()
        let sizes = log.lines.filter { $0.facts["ws_frame"] == "text" }.compactMap { Int($0.facts["ws_bytes"] ?? "") }
        #expect(sizes.count == 2 && sizes.allSatisfy { $0 > 0 && $0 < 1000 })
    }

    @Test("tells of a frame in many pieces once, with all its bytes, also of one that is refused")
    func pieces() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            for size in [300_000, 1_100_000] { peer.sendFrame(opcode: 2, [UInt8](repeating: 5, count: size)) }
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.maxFrameSize = 1_000_000
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readBinaryMessage().count == 300_000)
        #expect(failure { try client.readMessage() }?.code == .payloadTooLarge)
        #expect(eventually { log.messages.contains("closed") })
        let closed = log.lines.first { $0.message == "closed" }
        #expect(closed?.facts["ws_error"]?.hasPrefix("Max frame length of 1000000") == true)
        #expect(eventually { frames(log).filter { $0.hasPrefix("frame received") }.count == 2 })
        #expect(
            frames(log).filter { $0.hasPrefix("frame received") } == [
                "frame received: binary 300000", "frame received: binary 1100000",
            ])
    }

    @Test("is not told of the rest of a frame that had begun when its level was raised, but of those behind it")
    func lateLevel() throws {
        // With the second piece of the long frame the level is looked at again.
        let (rest, before, behind) = (MonotonicSemaphore(), 255, 10)
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            for _ in 0..<before { peer.sendFrame(opcode: 1, [97]) }
            let bytes = RawFrame(opcode: 1, payload: [UInt8](repeating: 97, count: 60_000)).serverBytes
            peer.send(Array(bytes.prefix(1000)))
            _ = rest.wait(until: Deadline(after: Timing.ages))
            peer.send(Array(bytes.dropFirst(1000)))
            for _ in 0..<behind { peer.sendFrame(opcode: 1, [97, 98]) }
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RecordedLog(.info)
        let client = try WebSocketClient(server.url(), configuration: log.configuration)
        for _ in 0..<before { #expect(try client.readTextMessage() == "a") }
        log.setLevel(.debug)
        rest.signal()
        #expect(try client.readTextMessage().utf8.count == 60_000)
        for _ in 0..<behind { #expect(try client.readTextMessage() == "ab") }
        let received = frames(log).filter { $0.hasPrefix("frame received") }
        #expect(received == [String](repeating: "frame received: text 2", count: behind))
    }

    @Test("shows as much of messages as was asked for, and lets none of them make lines")
    func payloads() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.loggedPayloadBytes = 5
        configuration.maxFrameSize = 3
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.writeTextMessage("a\n\u{85}b")
        try client.writeTextMessage("abcdefg")
        try client.writeBinaryMessage([0, 1, 254, 255])
        try client.writeMessages([.text("abcdefghi"), .binary([7])])
        for _ in 0..<5 { _ = try client.readMessage() }
        try client.close()
        let lines = log.lines.filter { $0.facts["ws_payload"] != nil }
        #expect(lines.allSatisfy { $0.level == .trace })
        for what in ["message to be sent", "message received"] {
            let shown = lines.filter { $0.message == what }.map { $0.facts["ws_payload"] }
            #expect(shown == [#""a\n\u{85}b""#, #""abcde"…"#, "0001feff", #""abcde"…"#, "07"], "\(what)")
        }
        #expect(lines.first { $0.facts["ws_payload"]?.hasSuffix("…") == true }?.facts["ws_bytes"] == "7")
    }

    @Test(
        "shows none at the level debug, and is silent above it while all is well",
        arguments: [Logger.Level.debug, .info])
    func levels(_ level: Logger.Level) throws {
        let server = try EchoServer()
        defer { server.stop() }
        let log = RecordedLog(level)
        var configuration = log.configuration
        configuration.loggedPayloadBytes = 100
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.exchange("hello")
        try client.close()
        #expect(log.texts.allSatisfy { !$0.contains("hello") })
        #expect(log.lines.isEmpty == (level == .info))
    }
}
