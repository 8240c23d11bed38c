// Connection/: one connection as callers and the loop share it.
//
// Holds: its state behind one lock (ConnectionState: no I/O), the queues of messages in and out, the waits of callers, blocked
// or suspended, and what it asks of the layer below (Transport), which is all it knows of that. It opens and ends once.
// Used by: Client, Reconnecting, Configuration, Auth, Session.
// Uses: Addressing, Errors, Events, HTTP, Loop, Messages, TLS, Utilities; DequeModule, HTTPTypes, Logging, LWSPayload,
// LWSServiceLoop.

internal import DequeModule
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
    }

    private let shared: Locked<Shared>

    private let pongs: PongDelivery?
    let events: EventHub
    let log: ConnectionLog

    /// - Parameter inbound: what the connection before this one had received and nobody has read.
    init(
        _ route: Route, limits: Limits, pongs: PongDelivery? = nil, inbound: InboundQueue = InboundQueue(),
        events: EventHub = EventHub(), log: ConnectionLog = .silent
    ) {
        self.limits = limits
        self.route = route
        self.pongs = pongs
        self.events = events
        self.log = log
        shared = Locked(Shared(state: ConnectionState(inbound: inbound)))
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
        let (result, effects, transport) = shared.withLock { shared in
            let (result, effects) = body(&shared.state)
            if let milestone = effects?.milestone { events.tell(milestone, of: shared.state, host: url.host) }
            return (result, effects, effects == nil ? nil : shared.transport)
        }
        if let effects { perform(effects, transport) }
        return result
    }

    func query<Result>(_ body: (inout ConnectionState) -> Result) -> Result {
        shared.withLock { body(&$0.state) }
    }

    /// `nil` on the thread that serves the loop.
    func queryOffLoop<Result>(_ body: (inout ConnectionState) -> Result) -> Result? {
        shared.withLock { shared in shared.transport?.isOnLoop == true ? nil : body(&shared.state) }
    }

    /// The transport of an open connection on which nothing waits to be sent.
    var idleTransport: (any Transport)? {
        shared.withLock { $0.state.mayWrite ? $0.transport : nil }
    }

    /// Queues a message. Returns who sends it; `nil` where the connection takes none, or the current thread is the one that
    /// serves the loop.
    func enterOffLoop(_ message: OutgoingMessage) -> (any Transport)? {
        shared.withLock { shared in
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
        if let milestone = effects.milestone { tellLog(of: milestone) }
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
        let isNew = shared.withLock { shared in
            defer { shared.step = step }
            return shared.step != step
        }
        if isNew { log.write(step) }
    }

    // MARK: - The side of the loop

    /// Returns false where nobody waits for the connection any more.
    func opened(
        _ head: ResponseHead?, subProtocol: String? = nil, tls: TLSInfo? = nil, compresses: Bool = false
    ) -> Bool {
        update { state in
            let effects = state.opened(head, subProtocol: subProtocol, tls: tls, compresses: compresses)
            return (effects != nil, effects)
        }
    }

    func openingFailed(_ error: WebSocketError) {
        dropTransport { shared in
            guard shared.state.phase == .connecting else { return .init() }
            shared.openingFailure = error
            return shared.state.transportEnded(violation: nil)
        }
    }

    /// Takes all messages out of the queue. Returns whether reading from the socket has to pause, and how much may come
    /// before that, at least, where it has not.
    func received(_ messages: inout Deque<WebSocketMessage>) -> (pause: Bool, room: InboundQueue.Room) {
        let (readers, pause, room) = shared.withLock { shared in
            let (readers, pause) = shared.state.received(&messages)
            return (readers, pause, shared.state.inbound.room)
        }
        readers.signal()
        return (pause, room)
    }

    /// A pong to a ping of our own goes to those who wait for it, any other to the application's handler.
    /// Returns whether reading from the socket has to pause.
    func receivedPong(_ payload: UnsafeRawBufferPointer, at arrival: LoopClock.Instant) -> Bool {
        events.tell(WebSocketEvent(.pong, payload: [UInt8](payload)))
        if let trips = query({ $0.ownPings.answered(payload, at: arrival) }) {
            for trip in trips { trip.semaphore.signal() }
            return false
        }
        guard let pongs else { return false }
        // Counted first, for the handler may be done with it at once.
        let pause = query { $0.receivedPong() }
        let isTaken = pongs.deliver([UInt8](payload)) { [self] in
            update { state in ((), state.pongHandled()) }
        }
        guard isTaken else {
            update { state in ((), state.pongHandled()) }
            return false
        }
        return pause
    }

    /// Whether a close frame of this side waits to be sent, or is being sent.
    var isTakingLeave: Bool { query { $0.isTakingLeave } }

    /// The close frame of this side is with the operating system, or cannot be for now.
    func closeFrameLeft() {
        update { state in ((), state.closeFrameLeft()) }
    }

    func received(_ frame: CloseFrame) {
        update { state in ((), state.received(frame)) }
    }

    /// A message that was not queued has begun to leave, and is not all with the operating system yet.
    func begun(_ message: OutgoingMessage) {
        query { $0.begun(message) }
    }

    /// The peer has ended TCP, and what it sent before waits for a reader: nothing is written any more.
    func refuseWrites() {
        update { state in ((), state.refuseWrites()) }
    }

    func failed(_ violation: Violation) {
        update { state in ((), state.fail(violation)) }
    }

    /// - Parameter maxSize: the most of a message that is asked for.
    func nextFrame(maxSize: Int) -> ConnectionState.NextFrame {
        shared.withLock { $0.state.nextFrame(maxFrameSize: maxSize) }
    }

    /// All that ``nextFrame(maxSize:)`` gave is with the operating system. Returns whether it has more to give.
    @discardableResult
    func flushed() -> Bool {
        let (senders, hasMore) = shared.withLock { ($0.state.flushed(), $0.state.hasNextFrame) }
        for sender in senders { sender.signal() }
        return hasMore
    }

    /// TCP is gone, and with it the transport.
    func transportEnded(violation: Violation?) {
        dropTransport { $0.state.transportEnded(violation: violation) }
    }

    /// Lets go of the transport, which holds this connection, whatever the state says to its end.
    private func dropTransport(_ change: (inout Shared) -> ConnectionState.Effects) {
        let effects = shared.withLock { shared in
            shared.transport = nil
            let effects = change(&shared)
            if let milestone = effects.milestone { events.tell(milestone, of: shared.state, host: url.host) }
            return effects
        }
        perform(effects, nil)
    }
}
