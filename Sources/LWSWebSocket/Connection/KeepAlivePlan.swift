// When to ping, and when to give a silent peer up: no I/O, no clock of its own.

internal import LWSServiceLoop

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
