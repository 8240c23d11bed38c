// What a loop's thread works, compared with a thread that never waits.

import LWSServiceLoop
import TestSupport

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@testable import LWSWebSocket

/// The processor time of a loop's thread while something goes on, next to that of a thread that spins meanwhile.
/// A loop that turns without waiting takes as much as the other, on a busy machine as well.
struct LoopWork: CustomStringConvertible {
    let loop: Duration
    /// What all other threads of the process worked, callers who serve their connections among them.
    let others: Duration
    let spinning: Duration

    init(of loop: WebSocketLoop, during body: () throws -> Void) throws {
        let isOver = Locked(false)
        let spinner = try Background {
            while !isOver.withLock({ $0 }) {}
            return Self.timeOfThread()
        }
        let outcome = Result {
            let before = (try Self.time(of: loop), Self.time(CLOCK_PROCESS_CPUTIME_ID))
            try body()
            return (try Self.time(of: loop) - before.0, Self.time(CLOCK_PROCESS_CPUTIME_ID) - before.1)
        }
        isOver.withLock { $0 = true }
        spinning = try spinner.value()
        let process: Duration
        (self.loop, process) = try outcome.get()
        others = process - self.loop - spinning
    }

    /// While a time goes by in which the loop has nothing to do.
    init(of loop: WebSocketLoop, during duration: Duration) throws {
        try self.init(of: loop) { _ = MonotonicSemaphore().wait(until: Deadline(after: duration)) }
    }

    /// The loop waited rather than turned.
    var isIdle: Bool { loop * 2 < spinning }

    /// So did everybody else.
    var isQuiet: Bool { isIdle && others * 2 < spinning }

    var description: String {
        "the loop worked \(loop), a thread that spins \(spinning), the rest of the process \(others)"
    }

    private static func time(of loop: WebSocketLoop) throws -> Duration {
        try loop.onThread { _ in timeOfThread() }
    }

    private static func timeOfThread() -> Duration { time(CLOCK_THREAD_CPUTIME_ID) }

    private static func time(_ clock: clockid_t) -> Duration {
        var time = timespec()
        clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
