// The pings that this library sends by itself: which are under way, and when to send them.

internal import DequeModule
internal import LWSServiceLoop

/// Keep-alive pings and those of `roundTripTime`, in the order in which they leave. Their pongs are not the
/// application's; they are told from others by eight random bytes.
struct OwnPings {
    /// Pings remembered that nobody waits for. Of more than that the oldest are forgotten, and a pong that still
    /// comes to one of them goes to the application.
    static let maxUnawaited = 64

    private struct Entry {
        let ping: OutgoingMessage
        let payload: [UInt8]
        var trip: RoundTrip?
    }

    /// What a pong has told.
    struct Answer {
        /// Those to be woken.
        let trips: [RoundTrip]
        /// From the leaving of the ping to the pong's arrival.
        let roundTrip: Duration
    }

    private var entries: Deque<Entry> = []
    private var unawaited = 0
    private var keepAlive: OutgoingMessage?

    /// A ping with a payload that no other has.
    static func make() -> (ping: OutgoingMessage, payload: [UInt8]) {
        let payload = withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { [UInt8]($0) }
        return (payload.withUnsafeBytes { OutgoingMessage(.ping, $0) }, payload)
    }

    /// Whether a keep-alive ping waits to leave: then another would only pile up behind it.
    var isKeepAliveWaiting: Bool { keepAlive.map { $0.outcome == nil } ?? false }

    /// Whether somebody waits for a pong.
    var isAwaited: Bool { entries.count > unawaited }

    /// A keep-alive ping has been queued.
    mutating func add(_ ping: OutgoingMessage, _ payload: [UInt8]) {
        keepAlive = ping
        entries.append(Entry(ping: ping, payload: payload))
        unawaited += 1
        forgetOldest()
    }

    /// A ping has been queued for whose pong somebody waits.
    mutating func add(_ trip: RoundTrip) {
        entries.append(Entry(ping: trip.ping, payload: trip.payload, trip: trip))
    }

    /// A pong has arrived. A peer may answer the latest of several pings alone (RFC 6455, section 5.5.3), so it
    /// answers all earlier ones too.
    ///
    /// - Returns: `nil` where the pong answers none of these pings.
    mutating func answered(_ payload: UnsafeRawBufferPointer, at arrival: LoopClock.Instant) -> Answer? {
        guard let index = entries.firstIndex(where: { $0.payload.elementsEqual(payload) }) else { return nil }
        let answered = entries.prefix(through: index)
        func time(_ ping: OutgoingMessage) -> Duration { arrival - (ping.leftAt ?? arrival) }
        let roundTrip = time(entries[index].ping)
        let trips = answered.compactMap(\.trip)
        unawaited -= answered.count - trips.count
        entries.removeFirst(index + 1)
        for trip in trips { trip.outcome = .answered(after: time(trip.ping)) }
        return Answer(trips: trips, roundTrip: roundTrip)
    }

    /// Nobody waits any more for the pong of a ping that has left. It may still come.
    mutating func stopWaiting(_ trip: RoundTrip) {
        guard let index = entries.firstIndex(where: { $0.trip === trip }) else { return }
        entries[index].trip = nil
        unawaited += 1
        forgetOldest()
    }

    /// The ping never left.
    mutating func remove(_ trip: RoundTrip) {
        entries.removeAll { $0.trip === trip }
    }

    /// No pong will come any more, as far as those who wait are concerned. Returns them, to be woken.
    mutating func end() -> [RoundTrip] {
        let trips = entries.compactMap(\.trip)
        for trip in trips {
            trip.outcome = .ended
            stopWaiting(trip)
        }
        return trips
    }

    private mutating func forgetOldest() {
        guard unawaited > Self.maxUnawaited, let index = entries.firstIndex(where: { $0.trip == nil }) else { return }
        entries.remove(at: index)
        unawaited -= 1
    }
}

/// A caller blocked until the pong of their ping comes.
final class RoundTrip: @unchecked Sendable {
    // Safe to share: `outcome` is read and written with the connection's lock held; the rest is constant.
    enum Outcome {
        case answered(after: Duration)
        /// The connection ended first.
        case ended
    }

    let ping: OutgoingMessage
    let payload: [UInt8]
    let semaphore = MonotonicSemaphore()
    var signal: CallerSignal { .blocked(semaphore) }
    var outcome: Outcome?

    init() { (ping, payload) = OwnPings.make() }
}

// MARK: - Pings of this library's own: keep-alive, and the time a round trip takes

extension Connection {
    /// Sends a ping and returns the time from its leaving to its pong's arrival.
    func roundTrip(timeout: Duration?) throws(WebSocketError) -> Duration {
        try checkMayBlock()
        let deadline = Deadline(after: timeout)
        let trip = RoundTrip()
        let (isQueued, phase) = update { state in
            let isQueued = state.begin(trip)
            return ((isQueued, state.phase), .init(sendNow: isQueued))
        }
        guard isQueued else { throw notOpenError(phase) }
        _ = wait(for: trip.semaphore, until: deadline)
        // Too late, perhaps, but the pong may have come in the last moment.
        switch query({ $0.withdraw(trip) }) {
        case .answered(let duration): return duration
        case .ended: throw notOpenError(self.phase)
        case nil:
            throw WebSocketError(
                .readTimedOut,
                "No pong came from \(url.host) within \(timeout ?? .zero); the connection is still open",
                host: url.host)
        }
    }

    // MARK: - The side of the loop

    /// Queues a keep-alive ping. Returns false where one still waits to leave, and where the connection takes none.
    func queueKeepAlivePing() -> Bool { query { $0.queueKeepAlivePing() } }

    /// The peer has not answered a ping for so long: ends the connection.
    func pingWasNotAnswered(within limit: Duration) {
        update { state in
            ((), state.giveUp(Ending(initiator: .network, cause: .unansweredPing(limit: limit))))
        }
    }
}

extension ConnectionState {
    /// Queues a ping for whose pong somebody waits. Returns false where the connection takes none.
    mutating func begin(_ trip: RoundTrip) -> Bool {
        guard write(trip.ping) else { return false }
        ownPings.add(trip)
        return true
    }

    /// Nobody waits for the pong any more. Returns what came of it, if anything did.
    mutating func withdraw(_ trip: RoundTrip) -> RoundTrip.Outcome? {
        if let outcome = trip.outcome { return outcome }
        if takeBack(trip.ping) { ownPings.remove(trip) } else { ownPings.stopWaiting(trip) }
        return nil
    }

    mutating func queueKeepAlivePing() -> Bool {
        guard !ownPings.isKeepAliveWaiting else { return false }
        let (ping, payload) = OwnPings.make()
        guard write(ping) else { return false }
        ownPings.add(ping, payload)
        return true
    }
}

// MARK: - When to ping, and when to give a silent peer up: no I/O, no clock of its own

/// The timetable of the keep-alive pings of an open connection.
///
/// Time is counted from the first ping that nothing was heard after. So a peer that answers every second ping only,
/// or sends data instead of pongs, is as alive as any.
struct KeepAlivePlan {
    typealias Instant = LoopClock.Instant

    struct Settings: Sendable, Equatable {
        /// From one ping to the next.
        let interval: Duration
        /// How long nothing may be heard after a ping; `nil`: for ever.
        let limit: Duration?
    }

    enum Step: Equatable {
        case wait
        case ping
        /// The peer is silent for too long.
        case giveUp
    }

    let settings: Settings
    private var nextPing: Instant
    private var unansweredSince: Instant?

    init(_ settings: Settings, at now: Instant) {
        self.settings = settings
        nextPing = now + settings.interval
    }

    /// The peer has shown that it lives.
    mutating func heard() { unansweredSince = nil }

    /// The peer may well have answered but could not be heard: its time begins anew.
    mutating func restart(at now: Instant) {
        if unansweredSince != nil { unansweredSince = now }
    }

    /// The next ping comes a whole interval from now.
    mutating func postpone(at now: Instant) { nextPing = now + settings.interval }

    /// Whether the peer's time is up.
    func isOverdue(at now: Instant) -> Bool {
        guard let limit = settings.limit, let unansweredSince else { return false }
        return now >= unansweredSince + limit
    }

    /// What is to be done now. A peer that cannot be heard, because reading is paused, is not judged.
    mutating func step(at now: Instant, isPaused: Bool) -> Step {
        if isOverdue(at: now), !isPaused { return .giveUp }
        guard now >= nextPing else { return .wait }
        nextPing += settings.interval
        // Pings that were missed are not made up for.
        if nextPing <= now { nextPing = now + settings.interval }
        if unansweredSince == nil { unansweredSince = now }
        return .ping
    }

    /// How long there is nothing to do.
    func pause(from now: Instant, isPaused: Bool) -> Duration {
        var next = nextPing
        if let limit = settings.limit, let unansweredSince, !isPaused { next = min(next, unansweredSince + limit) }
        return max(next - now, .zero)
    }
}
