// How long things take, judged so that a busy machine does not spoil the verdict.

import LWSServiceLoop

package enum Timing {
    package static func of(_ body: () throws -> Void) rethrows -> Duration {
        let start = ContinuousClock.now
        try body()
        return ContinuousClock.now - start
    }

    /// What happens "at once" takes less than this, on the slowest machine too. It says something only where the
    /// alternative would last `ages`: give the time limit that is not to be waited for that length.
    package static let atOnce = Duration.seconds(20)

    /// What takes this long has not happened at once.
    package static let ages = Duration.seconds(60)
}

/// How a time limit was kept, compared with bare waits of the same length on the same machine at the same time.
///
/// No attempt may be early. Their median may be late by as much as the waits' median is late, once for each of the
/// threads that take part in a call, and by half of the limit for what the call does besides waiting: a limit that is
/// counted twice, or not at all, is late by more. Where a few attempts are too late, more are made: what is late for a
/// reason of its own is late in those as well.
package struct Punctuality: CustomStringConvertible {
    package let limit: Duration
    private var attempts: [Duration] = []
    private var waits: [Duration] = []

    private static let few = 3
    private static let many = 9
    /// The caller, the loop and a peer.
    private static let threads = 3

    /// - Parameter attempt: makes one attempt, and returns how long the limited call in it lasted.
    package init(of limit: Duration, attempt: () throws -> Duration) rethrows {
        self.limit = limit
        while attempts.count < Self.few || (!isKept && isNeverEarly && attempts.count < Self.many) {
            waits.append(Timing.of { _ = MonotonicSemaphore().wait(until: Deadline(after: limit)) })
            attempts.append(try attempt())
        }
    }

    /// - Parameter call: makes the limited call, and nothing else.
    @_disfavoredOverload
    package init(of limit: Duration, call: () throws -> Void) rethrows {
        try self.init(of: limit, attempt: { try Timing.of(call) })
    }

    package var isKept: Bool { isNeverEarly && lateness(attempts) <= allowed }

    private var isNeverEarly: Bool { attempts.allSatisfy { $0 >= limit } }

    private var allowed: Duration { lateness(waits) * Self.threads + limit / 2 }

    private func lateness(_ times: [Duration]) -> Duration { times.sorted()[times.count / 2] - limit }

    package var description: String {
        "limit \(limit), lasted \(attempts), bare waits \(waits), late by \(lateness(attempts)) of \(allowed)"
    }
}
