// Servers that do not know when to stop.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A server that closes", .serialized)
struct ClosingFaultTests {
    private static let close = RawFrame(opcode: 8, payload: [0x0f, 0xa0] + Array("bye".utf8)).serverBytes
    private static let bye = WebSocketError.Closure(code: 4000, reason: "bye", initiator: .peer, isClean: true)

    /// Sends `bytes` and reads until the client ends TCP. Returns what the client read, its end, and what came back.
    private func outcome(
        _ bytes: [UInt8], split: Bool
    ) throws -> (messages: [WebSocketMessage], error: WebSocketError?, answers: [RawFrame]) {
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            if split { for byte in bytes where !peer.send([byte]) { break } } else { peer.send(bytes) }
            while let frame = try? peer.readFrame() { seen.add(frame) }
            seen.done()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        var messages: [WebSocketMessage] = []
        while true {
            do throws(WebSocketError) {
                messages.append(try client.readMessage())
            } catch {
                return (messages, error, try seen.all())
            }
        }
    }

    @Test("twice has closed once, and gets one answer", arguments: [false, true])
    func twice(_ split: Bool) throws {
        let (messages, error, answers) = try outcome(Self.close + Self.close, split: split)
        #expect(messages.isEmpty)
        #expect(error?.closure == Self.bye)
        #expect(answers.map(\.closeCode) == [4000])
    }

    @Test("and sends on is not listened to any more", arguments: [false, true])
    func dataBehind(_ split: Bool) throws {
        let late = RawFrame(opcode: 1, payload: Array("too late".utf8)).serverBytes
        let ping = RawFrame(opcode: 9, payload: [1]).serverBytes
        let faulty = RawFrame(rsv: 7, opcode: 3, payload: [1]).serverBytes
        for bytes in [late, ping, late + late + ping] {
            let (messages, error, answers) = try outcome(Self.close + bytes, split: split)
            #expect(messages.isEmpty)
            #expect(error?.closure == Self.bye)
            #expect(answers.map(\.closeCode) == [4000])
        }
        // lws ends the connection at a faulty frame, with or without an answer to what came before.
        let (messages, error, _) = try outcome(Self.close + faulty, split: split)
        #expect(messages.isEmpty)
        #expect(error?.closure == Self.bye)
    }

    @Test("in the middle of a message has not sent it, but what came before", arguments: [false, true])
    func insideMessage(_ split: Bool) throws {
        let whole = RawFrame(opcode: 1, payload: [65]).serverBytes
        let begun = RawFrame(fin: false, opcode: 1, payload: Array("begun".utf8)).serverBytes
        let more = RawFrame(fin: false, opcode: 0, payload: Array(" and".utf8)).serverBytes
        for bytes in [begun, begun + more, whole + begun] {
            let (messages, error, answers) = try outcome(bytes + Self.close, split: split)
            #expect(messages == (bytes.starts(with: whole) ? [.text("A")] : []))
            #expect(error?.closure == Self.bye)
            #expect(answers.map(\.closeCode) == [4000])
        }
    }

    @Test("with control characters in its reason gets none of them into an error's text")
    func controlCharacters() throws {
        let reason = "a\u{1b}[31m\r\nb"
        let frame = RawFrame(opcode: 8, payload: [0x0f, 0xa0] + Array(reason.utf8)).serverBytes
        let error = try #require(try outcome(frame, split: false).error)
        #expect(error.closure?.reason == reason)
        #expect(error.description.contains("(4000): a [31m  b"))
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test("while this side does too leaves both at peace")
    func crossing() throws {
        for _ in 0..<20 {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                // Both are on their way at once.
                _ = try? peer.readFrame()
                peer.send(Self.close + Self.close)
                peer.waitForEnd()
            }
            let client = try WebSocketClient(server.url())
            let time = try Timing.of { try client.close(timeout: Timing.ages) }
            #expect(time < Timing.atOnce, "\(time)")
            server.stop()
        }
    }
}
