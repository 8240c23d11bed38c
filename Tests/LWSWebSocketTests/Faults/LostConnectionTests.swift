// Connections that end while something is under way.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A connection that is lost", .serialized)
struct LostConnectionTests {
    private static let message = [UInt8](repeating: 7, count: 65536)

    /// Reads until an error comes.
    private func readAll(_ client: WebSocketClient) -> (count: Int, error: WebSocketError?) {
        var count = 0
        while true {
            if let error = failure({ try client.readMessage() }) { return (count, error) }
            count += 1
        }
    }

    @Test("while nobody reads is a lost connection, not a broken rule, and what had been taken in can be read")
    func whilePaused() throws {
        let mayReset = MonotonicSemaphore()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            for _ in 0..<24 { peer.sendFrame(opcode: 2, Self.message) }
            _ = mayReset.wait(until: Deadline(after: Timing.ages))
            peer.reset()
        }
        let client = try WebSocketClient(server.url())
        #expect(eventually { client.inside.isPaused })
        mayReset.signal()
        #expect(eventually { !client.isOpen })
        let (count, error) = readAll(client)
        #expect(count >= 16)
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
        #expect(error?.isRetriable == true)
    }

    @Test("by a server that says goodbye while the client writes: all it sent is read, and its reason")
    func closedWhileWriting() throws {
        var outcomes: [String: Int] = [:]
        for _ in 0..<40 {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                _ = try? peer.readFrame()
                for _ in 0..<8 { peer.sendFrame(opcode: 2, [UInt8](repeating: 7, count: 16000)) }
                peer.sendFrame(opcode: 8, [0x03, 0xe9])
                peer.endOutput()
                peer.waitForEnd()
            }
            let client = try WebSocketClient(server.url())
            let writing = try Background {
                while failure({ try client.writeBinaryMessage([UInt8](repeating: 0, count: 1000)) }) == nil {}
            }
            let (count, error) = readAll(client)
            outcomes["\(count) \(error?.closure?.code ?? 0)", default: 0] += 1
            try writing.value()
        }
        #expect(outcomes == ["8 1001": 40])
    }

    @Test("by a server that closes with data unread is never taken for a broken rule")
    func resetWhileWriting() throws {
        for _ in 0..<40 {
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                _ = try? peer.readFrame()
                for _ in 0..<8 { peer.sendFrame(opcode: 2, [UInt8](repeating: 7, count: 16000)) }
                peer.closeConnection()
            }
            let client = try WebSocketClient(server.url())
            let writing = try Background {
                while failure({ try client.writeBinaryMessage([UInt8](repeating: 0, count: 1000)) }) == nil {}
            }
            let (_, error) = readAll(client)
            #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
            try writing.value()
        }
    }

    @Test("after a broken rule is closed by close, which waits for the end")
    func closeAfterViolation() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 2, [UInt8](repeating: 7, count: 101))
            peer.waitForEnd()
        }
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 100
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(failure { try client.readMessage() }?.code == .payloadTooLarge)
        let time = try Timing.of { try client.close(timeout: .milliseconds(300)) }
        #expect(time >= .milliseconds(300), "\(time)")
        #expect(client.inside.hasEnded)
    }

    @Test("is retriable where a new attempt may help")
    func retriable() {
        let lost = WebSocketError.Closure(code: 1006, reason: "", initiator: .network)
        let closed = WebSocketError.Closure(code: 1000, reason: "", initiator: .peer, isClean: true)
        let table: [(WebSocketError, Bool)] = [
            (.init(.connection, ""), true), (.init(.handshakeTimedOut, ""), true), (.init(.readTimedOut, ""), true),
            (.init(.writeTimedOut, ""), true), (.init(.writeTimedOut, "", closure: lost), false),
            (.init(.connectionClosure, "", closure: lost), true),
            (.init(.connectionClosure, "", closure: closed), false),
            (.init(.invalidHandshake, "", httpResponse: .init(status: 503)), true),
            (.init(.invalidHandshake, "", httpResponse: .init(status: 404)), false),
            (.init(.invalidHandshake, ""), false), (.init(.payloadTooLarge, ""), false),
        ]
        for (error, expected) in table { #expect(error.isRetriable == expected, "\(error.code)") }
    }
}
