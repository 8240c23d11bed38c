// The one way from a test into a client, past its public face.
//
// Everything here depends on how the client is built inside, and nothing else in the tests of a whole client does.

import TestSupport
import Testing

@testable import LWSServiceLoop
@testable import LWSWebSocket

extension WebSocketClient {
    /// What the client does not tell in public.
    var inside: Inside { Inside(client: self) }
}

struct Inside: Sendable {
    fileprivate let client: WebSocketClient

    private var connection: Connection { client.connection }
    private var reconnector: Reconnector { client.reconnector }
}

// MARK: - The connection

extension Inside {
    var hasEnded: Bool { connection.phase == .ended }
    var isClosing: Bool { connection.phase == .closing }
    var hasTransport: Bool { connection.transport != nil }

    /// For how long an answer may be sent behind which the peer broke a rule.
    func setPatience(_ patience: Duration) { connection.query { $0.patience = patience } }

    /// The close frame that the peer ended the connection with.
    var receivedClose: CloseFrame? { connection.ending?.received }

    /// Whether the loop reads no more, for so much waits to be read by callers.
    var isPaused: Bool { connection.query { $0.inbound.isPaused } }
    var hasUnread: Bool { connection.query { !$0.inbound.isEmpty } }
    /// Bytes that may come until it pauses; negative where it holds more than that.
    var room: Int { connection.query { $0.inbound.room.bytes } }

    /// Whether some frames of a message have left, and others have not.
    var isInsideMessage: Bool { connection.query { $0.outbound.isInsideMessage } }
    var unsent: Int { connection.query { $0.outbound.count } }

    var isKeepAliveWaiting: Bool { connection.query { $0.ownPings.isKeepAliveWaiting } }

    /// Has a signal sent at the connection's end. Returns whether it goes on so far.
    func waitForEnd(signalling ended: MonotonicSemaphore) -> Bool {
        connection.query { $0.waitForEnd(waking: .blocked(ended)) }
    }

    /// The first half of a task's read: stands in line.
    func enterRead(waking signal: TaskSignal) -> InboundQueue.TakeResult {
        connection.enter(.any, waking: signal)
    }

    /// Its second half: waits for its turn.
    func wait(for reader: InboundQueue.Reader, _ signal: TaskSignal) async -> Connection.ReadResult {
        await reconnector.wait(for: reader, of: connection, signal, .none)
    }

    /// Ends the connection without waiting for anybody.
    func giveUp() { connection.giveUp() }

    /// Takes a message that is there without the rest of a read. Returns whether there was one.
    func takesMessage() -> Bool {
        if case .served(.message) = connection.enter(.any) { return true }
        return false
    }
}

// MARK: - The loop

extension WebSocketLoop {
    /// Runs `body` on the loop's thread, and returns what it returns.
    func onThread<Value: Sendable>(_ body: @escaping @Sendable (borrowing HeldLoop) -> Value) throws -> Value {
        let lease = try lease()
        let answer = Locked<Value?>(nil)
        let done = MonotonicSemaphore()
        lease.loop.perform { held in
            let value = body(held)
            answer.withLock { $0 = value }
            done.signal()
        }
        guard done.wait(until: Deadline(after: Timing.ages)), let value = answer.withLock({ $0 }) else {
            throw StillRunning(limit: Timing.ages)
        }
        return value
    }

    /// Has libwebsockets look at all sockets only where there is something to do that none tells of, for as long as it runs.
    func lookOnlyWhenAsked() throws { try onThread { held in held.core.longestUnsettledWait = .seconds(3600) } }

    /// When it last did so.
    func lastPass() throws -> LoopClock.Instant { try onThread { held in held.core.lastPass } }
}

extension Inside {
    /// Runs `body` on the loop.
    func onLoop(_ body: @escaping @Sendable (ClientTransport.Line, borrowing HeldLoop) -> Void) throws {
        let transport = try #require(connection.transport as? ClientTransport)
        try reconnector.loop.onThread { held in body(transport.line.get(held), held) }
    }
}

// MARK: - Connecting again

extension Inside {
    /// Callers who wait for the next connection.
    var waiting: Int { reconnector.state.withLock { $0.waiters.count } }
    /// Grows by one with each caller who waits.
    var lastTicket: Int { reconnector.state.withLock { Int($0.lastTicket) } }
    var compresses: Bool { reconnector.compresses }

    /// Which TLS settings it shares, by identity.
    var tlsContext: ObjectIdentifier? { reconnector.state.withLock { $0.tls.map { ObjectIdentifier($0) } } }

    /// Makes the connection for a destination, that of the client's URL where none is given. Returns its host.
    func host(installing destination: Destination?) throws(WebSocketError) -> String {
        try reconnector.install(destination ?? reconnector.origin).url.host
    }

    /// Runs `body` while this thread holds all of the client's locks.
    func holdingLocks(_ body: () -> Void) {
        reconnector.state.withLock { state in
            state.connection.query { _ in body() }
        }
    }
}

// MARK: - Calls with a time limit of their own

extension Inside {
    func read(_ wish: InboundQueue.Wish = .any, timeout: Duration?) throws(WebSocketError) -> WebSocketMessage {
        try reconnector.read(wish, timeout: timeout)
    }

    func write(_ message: OutgoingMessage, timeout: Duration?) throws(WebSocketError) {
        try reconnector.write(message, timeout: timeout)
    }

    func send(_ message: OutgoingMessage, timeout: Duration?) async throws(WebSocketError) {
        try await reconnector.send(message, timeout: timeout)
    }

    /// Waits as a task does that waits for something with a time limit.
    func wait(until deadline: Deadline) async {
        await reconnector.limit(deadline).wait(for: TaskSignal())
    }
}
