// The one notion of "until when" that is carried through resolving, connecting, reading, writing and closing.

/// The clock of all limits and waits. It stands still while the machine is suspended, as that of the system's waits does
/// (CLOCK_MONOTONIC: pthread_cond_clockwait, timerfd, poll, and lws's own timers). By one that goes on, whatever was waited for
/// would be late at the first thing that happens afterwards, though it may have arrived meanwhile.
package typealias LoopClock = SuspendingClock

/// A point on the monotonic clock by which something has to be done, or none.
package struct Deadline: Sendable, Equatable {
    /// `nil`: there is no limit.
    package let instant: LoopClock.Instant?

    /// No limit.
    package static let never = Deadline(instant: nil)

    private init(instant: LoopClock.Instant?) { self.instant = instant }

    /// `timeout` from now; `nil` and negative durations mean no limit, as in all time limits of the public interface.
    package init(after timeout: Duration?) {
        guard let timeout, timeout >= .zero else {
            self = .never
            return
        }
        // The clock cannot express instants centuries away; whoever asks for that means "no limit".
        guard timeout < .seconds(Self.longest) else {
            self = .never
            return
        }
        instant = LoopClock.now.advanced(by: timeout)
    }

    private static let longest = 100 * 365 * 24 * 3600

    /// What is left, never negative; `nil` where there is no limit.
    package var remaining: Duration? {
        instant.map { max($0 - LoopClock.now, .zero) }
    }

    package var hasPassed: Bool { remaining == .zero }

    /// The earlier of the two.
    package func earlier(_ other: Deadline) -> Deadline {
        guard let mine = instant else { return other }
        guard let theirs = other.instant else { return self }
        return mine <= theirs ? self : other
    }
}
