// The contract's close, and what follows it.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Closing", .serialized)
struct ClosingTests {
    /// Accepts, treats a close frame as the script says, and tells what it saw.
    private func server(
        answering answer: @escaping @Sendable (RawConnection, RawFrame) -> Void
    ) throws -> (RawServer, Seen) {
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                seen.add(frame)
                if frame.opcode == 8 { answer(peer, frame) }
            }
            seen.done()
        }
        return (server, seen)
    }

    @Test("sends the code and reason, waits for the peer's frame, and reports that")
    func handshake() throws {
        let (server, seen) = try server { peer, _ in peer.sendFrame(opcode: 8, [15, 160] + Array("tschüß".utf8)) }
        let client = try WebSocketClient(server.url())
        try client.close(statusCode: 3001, reason: "grüße")
        #expect(!client.isOpen)
        let frame = try #require(try seen.all().first)
        #expect(frame.closeCode == 3001)
        #expect(frame.payload.dropFirst(2).elementsEqual("grüße".utf8))
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.closure == .init(code: 4000, reason: "tschüß", initiator: .local, isClean: true))
    }

    @Test("sends 1000 without a reason where nothing else is said")
    func defaults() throws {
        let (server, seen) = try server { peer, frame in peer.sendFrame(opcode: 8, frame.payload) }
        let client = try WebSocketClient(server.url())
        try client.close()
        #expect(try seen.all().map(\.payload) == [[3, 232]])
    }

    @Test("refuses codes, reasons and timeouts that the contract refuses, and sends nothing")
    func refused() throws {
        let (server, seen) = try server { peer, frame in peer.sendFrame(opcode: 8, frame.payload) }
        let client = try WebSocketClient(server.url())
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            let error = #expect(throws: WebSocketError.self) { try client.close(statusCode: code) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.contains("Invalid status code") == true)
        }
        let long = String(repeating: "x", count: 124)
        #expect(failure { try client.close(reason: long) }?.code == .invalidArgument)
        let negative = #expect(throws: WebSocketError.self) { try client.close(timeout: .seconds(-2)) }
        #expect(negative?.code == .invalidArgument)
        #expect(client.isOpen)
        try client.close(reason: String(repeating: "x", count: 123), timeout: .seconds(-1))
        #expect(try seen.all().count == 1)
    }

    @Test("waits exactly its timeout for a peer that does not answer", arguments: [0, 100])
    func timeout(_ milliseconds: Int) throws {
        let (server, _) = try server { _, _ in }
        let limit = Duration.milliseconds(milliseconds)
        // A limit of zero has no length to compare with, and is made up for.
        let rest = Duration.milliseconds(100) - limit
        let kept = try Punctuality(of: .milliseconds(100)) { () -> Duration in
            let client = try WebSocketClient(server.url())
            let time = try Timing.of { try client.close(timeout: limit) }
            #expect(!client.isOpen)
            return time + rest
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("waits longer than lws's own five seconds where it is told to, with a long limit and with none")
    func patient() throws {
        let pause = Duration.milliseconds(5100)
        let (server, _) = try server { peer, frame in
            _ = MonotonicSemaphore().wait(until: Deadline(after: pause))
            peer.sendFrame(opcode: 8, frame.payload)
        }
        let closing = try [nil, Timing.ages].map { timeout in
            let client = try WebSocketClient(server.url())
            return try Background { try Timing.of { try client.close(timeout: timeout) } }
        }
        for call in closing {
            let time = try call.value()
            #expect(time >= pause && time < pause + Timing.atOnce, "\(time)")
        }
    }

    @Test("is idempotent: a close after the end returns at once, and sends nothing")
    func idempotent() throws {
        let (server, seen) = try server { peer, frame in peer.sendFrame(opcode: 8, frame.payload) }
        let client = try WebSocketClient(server.url())
        for _ in 0..<3 { try client.close() }
        #expect(try seen.all().count == 1)
    }

    @Test("twice waits twice for the peer's answer")
    func joined() throws {
        let answer = MonotonicSemaphore()
        let (server, seen) = try server { peer, frame in
            _ = answer.wait(until: Deadline(after: Timing.ages))
            peer.sendFrame(opcode: 8, frame.payload)
        }
        let client = try WebSocketClient(server.url())
        let closing = try (0..<3).map { number in
            try Background { try client.close(statusCode: 3000 + number, timeout: Timing.ages) }
        }
        #expect(closing.allSatisfy { $0.isBlocked() })
        answer.signal()
        for call in closing { try call.value() }
        #expect(client.closure?.isClean == true)
        #expect(try seen.all().count == 1)
    }

    @Test("twice ends the connection when the first of the times is up, for both")
    func joinedForLess() throws {
        let (silent, seen) = try server { _, _ in }
        let client = try WebSocketClient(silent.url())
        let first = try Background { try client.close(timeout: Timing.ages) }
        #expect(eventually { client.inside.isClosing })
        let time = try Timing.of {
            try client.close(timeout: .milliseconds(10))
            try first.value()
        }
        #expect(time < Timing.atOnce, "\(time)")
        #expect(client.closure == .init(code: 1000, reason: "", initiator: .local))
        #expect(try seen.all().count == 1)
    }

    @Test("wakes a blocked read at once")
    func wakesReader() throws {
        let (server, _) = try server { peer, frame in peer.sendFrame(opcode: 8, frame.payload) }
        let client = try WebSocketClient(server.url())
        let reading = try Background { try client.readMessage() }
        #expect(reading.isBlocked())
        let time = try Timing.of {
            try client.close(statusCode: 3000, reason: "enough")
            let error = #expect(throws: WebSocketError.self) { try reading.value() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure?.initiator == .local)
        }
        #expect(time < Timing.atOnce, "\(time)")
    }

    @Test("wakes a blocked write at once, though the peer takes nothing")
    func wakesWriter() throws {
        let server = try StallingServer()
        let client = try WebSocketClient(server.url())
        let writing = try server.stuckWrite(on: client)
        let closing = try Background { try client.close(timeout: Timing.ages) }
        let time = Timing.of {
            let error = #expect(throws: WebSocketError.self) { try writing.value() }
            #expect(error?.code == .connectionClosure)
        }
        #expect(time < Timing.atOnce, "\(time)")
        #expect(closing.isBlocked(), "the write was not woken by the connection's end")
        client.inside.giveUp()
        try closing.value()
    }

    @Test("waits exactly its timeout for a peer that takes nothing, while a write is blocked")
    func timeoutBehindWriter() throws {
        let limit = Duration.milliseconds(100)
        let server = try StallingServer()
        let kept = try Punctuality(of: limit) { () -> Duration in
            let client = try WebSocketClient(server.url())
            let writing = try server.stuckWrite(on: client)
            let time = try Timing.of { try client.close(timeout: limit) }
            #expect(!client.isOpen)
            #expect(failure { try writing.value() }?.code == .connectionClosure)
            return time
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("by the peer ends reads and writes with its code and reason, after what had arrived was read")
    func byPeer() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 1, [65])
            peer.sendFrame(opcode: 8, [3, 233] + Array("going".utf8))
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        #expect(eventually { !client.isOpen })
        #expect(try client.readTextMessage() == "A")
        let expected = WebSocketError.Closure(code: 1001, reason: "going", initiator: .peer, isClean: true)
        for _ in 0..<2 {
            #expect(failure { try client.readMessage() }?.closure == expected)
            #expect(failure { try client.writeTextMessage("x") }?.closure == expected)
            #expect(failure { try client.ping() }?.closure == expected)
        }
        try client.close()
    }

    @Test("by the peer is answered with its own frame", arguments: [[], [3, 232], [15, 161, 65]] as [[UInt8]])
    func echo(_ payload: [UInt8]) throws {
        let seen = Seen()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 8, payload)
            if let frame = try? peer.readFrame() { seen.add(frame) }
            seen.done()
        }
        let client = try WebSocketClient(server.url())
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.closure?.code == (payload.isEmpty ? 1005 : Int(payload[0]) << 8 | Int(payload[1])))
        #expect(try seen.all().map(\.payload) == [payload])
    }

    @Test("is reported as 1006 where TCP ends without a close frame, as retriable")
    func lost() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.closeConnection()
        }
        let client = try WebSocketClient(server.url())
        let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
        #expect(error?.isRetriable == true)
    }

    @Test("happens with 1001, without blocking, when the last reference is dropped")
    func dropped() throws {
        // By itself the connection ends after some seconds. They pass while this test does nothing where the machine is busy
        // enough.
        let isThere = try (0..<3).contains { _ in try isThereAfterDrop() }
        #expect(isThere)
    }

    /// Drops a client whose peer answers only after that. Returns whether the peer found the connection as it was.
    private func isThereAfterDrop() throws -> Bool {
        let mayAnswer = MonotonicSemaphore()
        let wasThere = Locked(false)
        let (server, seen) = try server { peer, frame in
            _ = mayAnswer.wait(until: Deadline(after: Timing.ages))
            let isQuiet = peer.isQuiet(for: .zero)
            wasThere.withLock { $0 = isQuiet }
            peer.sendFrame(opcode: 8, frame.payload)
        }
        defer { server.stop() }
        var client: WebSocketClient? = try WebSocketClient(server.url())
        #expect(client?.isOpen == true)
        let time = Timing.of { client = nil }
        mayAnswer.signal()
        #expect(time < Timing.atOnce, "\(time)")
        #expect(try seen.all().map(\.closeCode) == [1001])
        return wasThere.withLock { $0 }
    }
}
