// A connection over a transport that a test plays.

import DequeModule
import HTTPTypes
import LWSServiceLoop
import Testing

@testable import LWSWebSocket

@Suite("A connection over its transport")
struct ConnectionTests {
    /// Remembers what it is asked for, and does one thing when it is started.
    private final class FakeTransport: Transport {
        let calls = Locked<[String]>([])
        private let onStart: @Sendable () -> Void
        let isOnLoop = false

        init(onStart: @escaping @Sendable () -> Void) { self.onStart = onStart }
        func start() {
            note("start")
            onStart()
        }
        func requestWrite() { note("requestWrite") }
        func resumeReading() { note("resumeReading") }
        func endAfter(_ limit: Duration) { note("endAfter") }
        func abort() { note("abort") }
        private func note(_ call: String) { calls.withLock { $0.append(call) } }
    }

    private func connection() throws -> Connection {
        Connection(
            try Route(to: WebSocketURL("ws://127.0.0.1/"), through: nil, from: nil),
            limits: .init(maxFrameSize: 100, maxMessageSize: nil))
    }

    private func open(_ connection: Connection, _ transport: FakeTransport) throws {
        try connection.open(
            until: Deadline(after: .seconds(60)), timeout: .seconds(60), resolver: FixedResolver(["127.0.0.1"])
        ) {
            _, _ throws(WebSocketError) in transport
        }
    }

    @Test("opens when the answer is there before the transport's start has returned")
    func immediateAnswer() throws {
        let connection = try connection()
        let transport = FakeTransport { _ = connection.opened(nil) }
        try open(connection, transport)
        #expect(connection.phase == .open)
        #expect(transport.calls.withLock { $0 } == ["start"])
        connection.transportEnded(violation: nil)
    }

    @Test("reports a failure that comes at once")
    func immediateFailure() throws {
        let connection = try connection()
        let transport = FakeTransport { connection.openingFailed(WebSocketError(.invalidHandshake, "no")) }
        #expect(failure { try open(connection, transport) }?.code == .invalidHandshake)
        #expect(connection.transport == nil)
    }

    @Test("looks past a signal that was meant for the reader before, and waits as long as it is told")
    func lateSignal() throws {
        let connection = try connection()
        try open(connection, FakeTransport { _ = connection.opened(nil) })
        guard case .wait(let reader) = connection.enter(.any) else {
            Issue.record("served from an empty queue")
            return
        }
        reader.signal.signal()
        let start = ContinuousClock.now
        #expect(connection.wait(for: reader, until: Deadline(after: .milliseconds(50))) == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        connection.transportEnded(violation: nil)
    }

    @Test("was open, though the peer closed before anybody looked")
    func closedAtOnce() throws {
        let connection = try connection()
        let transport = FakeTransport {
            _ = connection.opened(nil)
            var words: Deque = [WebSocketMessage.text("last words")]
            #expect(connection.received(&words).room.messages == InboundQueue.maxMessages - 1)
            connection.received(CloseFrame(code: 1000, reason: ""))
            connection.transportEnded(violation: nil)
        }
        try open(connection, transport)
        guard case .served(.message(.text("last words"))) = connection.enter(.any),
            case .served(.ended) = connection.enter(.any)
        else {
            Issue.record("the last words were lost")
            return
        }
        #expect(connection.notOpenError(connection.phase).closure?.initiator == .peer)
    }

    @Test("asks the transport to write, to resume, and to end")
    func effects() throws {
        let connection = try connection()
        let transport = FakeTransport { _ = connection.opened(nil) }
        try open(connection, transport)
        let message = [UInt8]().withUnsafeBytes { OutgoingMessage(.text, $0) }
        #expect(connection.enter(message))
        guard case .withdrawn = connection.wait(for: message, until: Deadline(after: .zero)) else {
            Issue.record("not taken back")
            return
        }
        connection.abandon()
        #expect(transport.calls.withLock { $0 } == ["start", "requestWrite", "requestWrite", "endAfter"])
        connection.transportEnded(violation: nil)
    }

    @Test("gives up the transport when the time for the handshake is over")
    func timeout() throws {
        let connection = try connection()
        let transport = FakeTransport {}
        let error = failure {
            try connection.open(
                until: Deadline(after: .milliseconds(20)), timeout: .milliseconds(20),
                resolver: FixedResolver(["127.0.0.1"])
            ) {
                _, _ throws(WebSocketError) in transport
            }
        }
        #expect(error?.code == .handshakeTimedOut)
        #expect(transport.calls.withLock { $0 } == ["start", "abort"])
        connection.openingFailed(WebSocketError(.connection, "late"))
        #expect(connection.transport == nil, "the circle is broken")
    }

    @Test("does not take the late signal of one for the end of a message on another")
    func staleSignal() throws {
        let (first, second) = (try connection(), try connection())
        for connection in [first, second] {
            _ = connection.query { $0.beginConnecting(waking: .blocked(MonotonicSemaphore())) }
            #expect(connection.opened(nil))
        }
        let message = [UInt8]("abc".utf8).withUnsafeBytes { OutgoingMessage(.text, $0) }
        #expect(first.enter(message))
        // Lost after the writer's wait has ended and before they look.
        first.giveUp()
        guard case .late(.unsent) = first.query({ $0.withdraw(message) }) else {
            Issue.record("not late")
            return
        }
        #expect(second.enter(message))
        guard case .withdrawn = second.wait(for: message, until: Deadline(after: .milliseconds(20))) else {
            Issue.record("not withdrawn")
            return
        }
    }
}
