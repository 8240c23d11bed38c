// Connection/: one connection as callers and the loop share it.
//
// Holds: its state behind one lock (ConnectionState: no I/O), the queues of messages in and out, the waits of callers, blocked
// or suspended, and what it asks of the layer below (Transport), which is all it knows of that. It opens and ends once.
// Used by: Client, Reconnecting, Configuration, Auth, Session.
// Uses: Addressing, Errors, Events, HTTP, Loop, Messages, TLS, Utilities; DequeModule, HTTPTypes, Logging, LWSPayload,
// LWSServiceLoop, Tracing.

internal import HTTPTypes
internal import LWSServiceLoop

/// The meeting place of the callers of one client and of the loop that serves it: the state behind one lock, and
/// the way to the transport. Callers block here, on semaphores, with the lock released. It opens and ends once; a
/// client that connects again has another one for each attempt, in turn (``Reconnector``).
///
/// The transport's session holds the connection, the connection holds the transport; the circle is broken when the
/// connection has ended.
final class Connection: Sendable {
    let limits: Limits
    let route: Route
    var url: WebSocketURL { route.url }

    private struct Shared {
        var state: ConnectionState
        var transport: (any Transport)?
        /// What is waited for before it is open.
        var step = OpeningStep.resolving
        /// Why the handshake failed, where it did.
        @Boxed var openingFailure: WebSocketError?
        var trace: HandshakeTrace?
    }

    private let shared: Locked<Shared>

    let pongs: PongDelivery?
    let events: EventHub
    let log: ConnectionLog
    let metrics: ClientMetrics

    /// - Parameter inbound: what the connection before this one had received and nobody has read.
    init(
        _ route: Route, limits: Limits, pongs: PongDelivery? = nil, inbound: InboundQueue = InboundQueue(),
        events: EventHub = EventHub(), log: ConnectionLog = .silent, metrics: ClientMetrics = ClientMetrics()
    ) {
        self.limits = limits
        self.route = route
        self.pongs = pongs
        self.events = events
        self.log = log
        self.metrics = metrics
        let state = ConnectionState(inbound: inbound)
        shared = Locked(Shared(state: state))
        if ClientMetrics.isOn { metrics.queuesChanged(from: .init(), to: state.depth) }
    }

    // What nobody has read goes with it.
    deinit {
        if ClientMetrics.isOn { metrics.queuesChanged(from: query { $0.depth }, to: .init()) }
    }

    /// What the configuration says, with defaults in place of values out of range.
    struct Limits: Sendable {
        let maxFrameSize: Int
        let maxMessageSize: Int?
        /// `nil`: no pings are sent.
        var keepAlive: KeepAlivePlan.Settings?
    }

    var phase: ConnectionState.Phase { shared.withLock { $0.state.phase } }
    var response: HTTPResponse? { shared.withLock { $0.state.head }?.response }
    var subProtocol: String? { shared.withLock { $0.state.subProtocol } }
    var tlsInfo: TLSInfo? { shared.withLock { $0.state.tlsInfo } }
    var ending: Ending? { shared.withLock { $0.state.ending } }

    // MARK: - For the callers' operations, in the extensions

    /// Changes the state and then does what the change asks for, with the lock released; but those who watch the client are
    /// told with the lock held, in the order of the changes.
    func update<Result>(_ body: (inout ConnectionState) -> (Result, ConnectionState.Effects?)) -> Result {
        let (result, effects, transport) = change { shared in
            let (result, effects) = body(&shared.state)
            if let milestone = effects?.milestone { events.tell(milestone, of: shared.state, host: url.host) }
            return (result, effects, effects == nil ? nil : shared.transport)
        }
        if let effects { perform(effects, transport) }
        return result
    }

    func query<Result>(_ body: (inout ConnectionState) -> Result) -> Result {
        change { body(&$0.state) }
    }

    /// Changes what is shared. How many messages wait then is told with the lock released.
    private func change<Result>(_ body: (inout Shared) -> Result) -> Result {
        guard ClientMetrics.isOn else { return shared.withLock(body) }
        let (result, before, now) = shared.withLock { shared in
            let before = shared.state.depth
            let result = body(&shared)
            return (result, before, shared.state.depth)
        }
        if before != now { metrics.queuesChanged(from: before, to: now) }
        return result
    }

    /// `nil` on the thread that serves the loop.
    func queryOffLoop<Result>(_ body: (inout ConnectionState) -> Result) -> Result? {
        change { shared in shared.transport?.isOnLoop == true ? nil : body(&shared.state) }
    }

    /// The transport of an open connection on which nothing waits to be sent.
    var idleTransport: (any Transport)? {
        shared.withLock { $0.state.mayWrite ? $0.transport : nil }
    }

    /// Queues a message. Returns who sends it; `nil` where the connection takes none, or the current thread is the one that
    /// serves the loop.
    func enterOffLoop(_ message: OutgoingMessage) -> (any Transport)? {
        change { shared in
            guard let transport = shared.transport, !transport.isOnLoop, shared.state.write(message) else {
                return nil
            }
            return transport
        }
    }

    var transport: (any Transport)? { shared.withLock { $0.transport } }

    /// Waits for what the loop, or this thread in its place, will signal. Returns false where the deadline comes first.
    func wait(for semaphore: MonotonicSemaphore, until deadline: Deadline) -> Bool {
        if let pongs, pongs.isHandlerCalling { update { state in ((), state.pongHandlerWaits()) } }
        guard let transport else { return semaphore.wait(until: deadline) }
        return transport.wait(for: semaphore, until: deadline) { self.query { $0.isWaitedFor } }
    }

    private func perform(_ effects: ConnectionState.Effects, _ transport: (any Transport)?) {
        // Before anything comes of it, and before anybody who waits learns of it.
        if let milestone = effects.milestone { tell(of: milestone) }
        if let transport {
            if effects.resumeReading { transport.resumeReading() }
            if effects.requestWrite { transport.requestWrite() }
            if effects.sendNow { transport.flush() }
            if let limit = effects.endAfter { transport.endAfter(limit) }
            if effects.abort { transport.abort() }
        }
        for caller in effects.wake { caller.signal() }
    }

    /// What an operation throws on a connection that does not take it.
    func notOpenError(_ phase: ConnectionState.Phase, reading: Bool = false) -> WebSocketError {
        if phase == .unconnected || phase == .connecting {
            return WebSocketError(
                .invalidArgument, "The client is not connected to \(url.host) yet; call connect() first",
                host: url.host)
        }
        let ending = ending ?? Ending(initiator: .network, cause: phase == .open ? .unreadEnd : nil)
        return reading ? ending.readError(host: url.host) : ending.error(host: url.host)
    }

    /// Refuses to block the thread that serves the loop, which would wait for itself.
    func checkMayBlock() throws(WebSocketError) {
        guard shared.withLock({ $0.transport?.isOnLoop }) == true else { return }
        throw WebSocketError(
            .invalidArgument,
            "A blocking call was made on the thread that serves the connection to \(url.host); make it elsewhere",
            host: url.host)
    }

    // MARK: - Opening, for Connection+Opening

    /// Takes the transport on. Returns false where the connection has ended meanwhile.
    func adopt(_ transport: any Transport) -> Bool {
        shared.withLock { shared in
            guard shared.state.phase == .connecting else { return false }
            shared.transport = transport
            return true
        }
    }

    var openingFailure: WebSocketError? { shared.withLock { $0.openingFailure } }

    var openingStep: OpeningStep { shared.withLock { $0.step } }

    func reached(_ step: OpeningStep) {
        let (isNew, trace) = shared.withLock { shared in
            defer { shared.step = step }
            return (shared.step != step, shared.trace)
        }
        guard isNew else { return }
        log.write(step)
        trace?.reached(step)
    }

    /// The span of the handshake, while that is under way.
    var trace: HandshakeTrace? {
        get { shared.withLock { $0.trace } }
        set { shared.withLock { $0.trace = newValue } }
    }

    // MARK: - Ending, for the loop

    func openingFailed(_ error: WebSocketError) {
        dropTransport { shared in
            guard shared.state.phase == .connecting else { return .init() }
            shared.openingFailure = error
            return shared.state.transportEnded(violation: nil)
        }
    }

    /// TCP is gone, and with it the transport.
    func transportEnded(violation: Violation?) {
        dropTransport { $0.state.transportEnded(violation: violation) }
    }

    /// Lets go of the transport, which holds this connection, whatever the state says to its end.
    private func dropTransport(_ body: (inout Shared) -> ConnectionState.Effects) {
        let effects = change { shared in
            shared.transport = nil
            let effects = body(&shared)
            if let milestone = effects.milestone { events.tell(milestone, of: shared.state, host: url.host) }
            return effects
        }
        perform(effects, nil)
    }
}
