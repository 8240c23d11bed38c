// Something that happens once.

import LWSServiceLoop
import TestSupport

final class Flag: Sendable {
    private let semaphore = MonotonicSemaphore()

    func set() { semaphore.signal() }

    func wait(within limit: Duration = Timing.ages) throws {
        guard semaphore.wait(until: Deadline(after: limit)) else { throw StillRunning(limit: limit) }
        semaphore.signal()  // for the next one
    }
}
