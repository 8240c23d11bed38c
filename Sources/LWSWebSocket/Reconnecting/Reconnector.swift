// Reconnecting/: a client's way to its server, connection after connection.
//
// Holds: what a client's calls go through: the connection of now, the making of the first and of those that follow a lost one,
// with their redirects, credentials and waits, for blocked callers and for tasks.
// Used by: Client.
// Uses: Addressing, Auth, Configuration, Connection, Errors, Events, HTTP, Loop, Messages, Session, TLS, Utilities; HTTPTypes,
// LWSServiceLoop, Logging.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a client's operations go through: the connection of now, and the making of another where that is lost.
///
/// Locks: the reconnector's comes before a connection's. What the loop calls takes a connection's alone.
final class Reconnector: Sendable {
    let configuration: ClientConfiguration
    let origin: Destination
    let loop: WebSocketLoop
    let resolver: any NameResolver
    /// The most payload of a frame that is sent.
    let frameSize: Int
    private let pongs: PongDelivery?
    let events: EventHub
    /// That of the first connection.
    private let firstLog: ConnectionLog
    let metrics: ClientMetrics

    enum Phase {
        /// Nobody has asked to connect.
        case fresh
        /// The first connect is under way, on its caller's thread.
        case connecting
        /// There was a connection. Whether it is still there, it knows itself.
        case open
        /// The connection was lost, and a background thread makes another.
        case reconnecting
        /// There will be no other connection. `nil`: the last one says why.
        indirect case over(WebSocketError?)
    }

    struct State {
        /// The one of now: fresh, open, lost, or the attempt under way. Where it is not the first one, it holds what the
        /// ones before it had received.
        var connection: Connection
        var phase = Phase.fresh
        /// The client was closed, or dropped: what calls throw from then on that have no connection to say it.
        @Boxed var closedError: WebSocketError?
        /// Calls that wait for another connection.
        var waiters: [Waiter] = []
        /// Ends the wait for credentials, and between two attempts, once there was one.
        var cancellation: Cancellation?
        var lastTicket = 0
        /// What connections over TLS are made with, shared with clients of equal settings.
        var tls: TLSContext?
        /// The log has been told that nothing is verified.
        var hasWarned = false
        /// What the application keeps on the client.
        var attributes: [String: AttributeValue] = [:]
        /// The thread on which the application is told of a wait.
        var notifier: pthread_t?
    }

    // Safe to share: pthread_t is a handle, compared with the lock held.
    let state: Locked<State>

    init(
        to origin: Destination, _ configuration: ClientConfiguration, _ loop: WebSocketLoop,
        _ resolver: any NameResolver
    ) {
        let pongs = configuration.pingPongHandler.map(PongDelivery.init)
        self.origin = origin
        frameSize = configuration.limits.maxFrameSize
        self.configuration = configuration
        self.loop = loop
        self.resolver = resolver
        self.pongs = pongs
        let events = EventHub(mayReconnect: configuration.retryConfig != nil, handler: configuration.eventHandler)
        self.events = events
        let log = ConnectionLog(configuration.logger, payloadBytes: configuration.loggedPayloadBytes)
        firstLog = log
        let metrics = ClientMetrics()
        self.metrics = metrics
        state = Locked(
            State(
                connection: Connection(
                    origin.route, limits: configuration.limits, pongs: pongs, events: events, log: log,
                    metrics: metrics)))
    }

    var connection: Connection { state.withLock { $0.connection } }

    /// What the client is called.
    var identifier: String { firstLog.identifier }

    /// Ends waits when the client is closed or dropped.
    var cancellation: Cancellation {
        state.withLock { state in
            let cancellation = state.cancellation ?? Cancellation(isCancelled: state.closedError != nil)
            state.cancellation = cancellation
            return cancellation
        }
    }

    /// A connection that follows another and takes over what nobody has read.
    func connection(to destination: Destination, after previous: Connection) -> Connection {
        Connection(
            destination.route, limits: configuration.limits, pongs: pongs,
            inbound: previous.query { $0.inbound.handOver() }, events: events, log: previous.log.next,
            metrics: metrics)
    }

    // MARK: - Waiting for another connection

    /// A call that waits for another connection. `outcome` belongs to the reconnector's lock.
    final class Waiter: @unchecked Sendable {
        // Safe to share: `outcome` is read and written with the reconnector's lock held; the rest is constant.
        let ticket: Int
        let isReading: Bool
        let signal: CallerSignal
        /// Called with the reconnector's lock held, so that it gets in line and does nothing else.
        let enter: @Sendable (Connection) -> Void
        var outcome: Result<Connection, WebSocketError>?

        init(_ call: Call, _ signal: CallerSignal, _ enter: @escaping @Sendable (Connection) -> Void) {
            ticket = call.ticket
            isReading = call.isReading
            self.signal = signal
            self.enter = enter
        }
    }

    /// A read or write with its place in the order of calls and its time limit.
    struct Call: Sendable {
        let ticket: Int
        let isReading: Bool
        let timeout: Duration?
        let deadline: Deadline
    }

    /// Begins a call. Returns the connection to try first; `nil` where readers wait for another one, so that a
    /// later reader does not come before them.
    func begin(reading: Bool, timeout: Duration?) throws(WebSocketError) -> (Call, Connection?) {
        try WebSocketError.refuseInForkedProcess(host: origin.url.host)
        let deadline = Deadline(after: timeout)
        let (ticket, connection, mayEnter) = state.withLock { state in
            state.lastTicket += 1
            let mayEnter = !reading || !state.waiters.contains(where: \.isReading)
            return (state.lastTicket, state.connection, mayEnter)
        }
        try connection.checkMayBlock()
        let call = Call(ticket: ticket, isReading: reading, timeout: timeout, deadline: deadline)
        return (call, mayEnter ? connection : nil)
    }

    /// Has a call enter the connection that comes after `last`, which took nothing more, once that is open: in the
    /// order in which the calls began. Blocks.
    func enterNext<Entry: Sendable>(
        after last: Connection?, _ call: Call, _ enter: @escaping @Sendable (Connection) -> Entry
    ) throws(WebSocketError) -> (Connection, Entry) {
        try checkMayBlock()
        let entry = Locked<Entry?>(nil)
        let semaphore = MonotonicSemaphore()
        let waiter = Waiter(call, .blocked(semaphore)) { connection in
            let entered = enter(connection)
            entry.withLock { $0 = entered }
        }
        if let loss = state.withLock({ $0.add(waiter, after: last, mayReconnect: mayReconnect) }) {
            startReconnecting(loss)
        }
        if !semaphore.wait(until: call.deadline) {
            state.withLock { $0.withdraw(waiter, or: timedOut(call)) }
        }
        guard let outcome = state.withLock({ _ in waiter.outcome }) else { throw timedOut(call) }
        let connection = try outcome.get()
        guard let entered = entry.withLock({ $0 }) else { throw timedOut(call) }
        return (connection, entered)
    }

    var mayReconnect: Bool { configuration.retryConfig != nil }

    func timedOut(_ call: Call) -> WebSocketError {
        let host = origin.url.host
        let (code, what) =
            call.isReading
            ? (WebSocketError.Code.readTimedOut, "No message came from \(host)")
            : (.writeTimedOut, "The message could not be sent to \(host), nothing of it was,")
        return WebSocketError(
            code,
            "\(what) within \(call.timeout ?? .zero): the connection was lost and is being made again; a later call "
                + "can succeed", host: host)
    }

    /// Refuses to block a thread that would wait for itself: the one that serves the loop, and the one that tells the
    /// application of a wait.
    func checkMayBlock() throws(WebSocketError) {
        let host = origin.url.host
        try WebSocketError.refuseInForkedProcess(host: host)
        try ConnectionLog.refuseInsideHandler(host: host)
        guard !loop.isHeldByCurrentThread else {
            throw WebSocketError(
                .invalidArgument,
                "A blocking call was made on the thread that serves the connection to \(host); make it elsewhere",
                host: host)
        }
        let isNotifier = state.withLock { state in
            state.notifier.map { pthread_equal($0, pthread_self()) != 0 } ?? false
        }
        guard !isNotifier else {
            throw WebSocketError(
                .invalidArgument, "A blocking call was made inside retryConfig.onRetry; make it elsewhere", host: host
            )
        }
    }
}

extension Reconnector.State {
    /// Whether the log has yet to be told that nothing is verified.
    mutating func noteUnverified() -> Bool {
        defer { hasWarned = true }
        return !hasWarned
    }

    /// Gives the waiter its outcome, or puts it in line. Returns how the connection was lost, where it now has to be
    /// made again.
    mutating func add(_ waiter: Reconnector.Waiter, after last: Connection?, mayReconnect: Bool) -> WebSocketError? {
        switch phase {
        case .fresh, .connecting:
            // Between two attempts of the first connect the last one has ended; the client has not.
            let hasOpened = connection.query { $0.hasOpened }
            let error = hasOpened ? connection.notOpenError(.ended) : connection.notOpenError(.connecting)
            fail(waiter, closedError ?? error)
        case .over(let error):
            fail(waiter, error ?? connection.notOpenError(connection.phase, reading: waiter.isReading))
        case .reconnecting:
            // An attempt may have taken over messages while the caller looked at the connection before.
            // Readers that wait come before one that did.
            let isBehind = waiter.isReading && waiters.contains(where: \.isReading)
            if let last, connection !== last, !isBehind { admit(waiter) } else { waiters.append(waiter) }
        case .open where connection !== last:
            admit(waiter)
        case .open:
            guard mayReconnect, closedError == nil, connection.ending?.initiator == .network else {
                fail(waiter, connection.notOpenError(connection.phase, reading: waiter.isReading))
                return nil
            }
            phase = .reconnecting
            waiters.append(waiter)
            return connection.notOpenError(.ended)
        }
        return nil
    }

    /// Another connection is open: everybody who waits enters it.
    mutating func admitAll() {
        let waiting = waiters.sorted { $0.ticket < $1.ticket }
        waiters = []
        for waiter in waiting { admit(waiter) }
    }

    /// There will be none.
    mutating func failAll(_ error: WebSocketError) {
        let waiting = waiters
        waiters = []
        for waiter in waiting { fail(waiter, error) }
    }

    /// Takes a waiter away whose time is up, unless it has its outcome.
    mutating func withdraw(_ waiter: Reconnector.Waiter, or error: WebSocketError) {
        guard waiter.outcome == nil else { return }
        waiters.removeAll { $0 === waiter }
        waiter.outcome = .failure(error)
    }

    private func admit(_ waiter: Reconnector.Waiter) {
        waiter.enter(connection)
        waiter.outcome = .success(connection)
        waiter.signal.signal()
    }

    private func fail(_ waiter: Reconnector.Waiter, _ error: WebSocketError) {
        waiter.outcome = .failure(error)
        waiter.signal.signal()
    }
}
