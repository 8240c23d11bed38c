// The waits that a client tells of.

import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

/// Gathers the events of a `WebSocketRetryConfig`, and lets a test wait for the next.
final class RetryLog: Sendable {
    private let events = Locked<[WebSocketRetryEvent]>([])
    private let noted = MonotonicSemaphore()

    var all: [WebSocketRetryEvent] { events.withLock { $0 } }

    /// Waits for one more event than were waited for before.
    func next() throws {
        guard noted.wait(until: Deadline(after: Timing.ages)) else { throw StillRunning(limit: Timing.ages) }
    }

    /// A configuration that makes attempts with short waits and tells this log of them.
    func configuration(
        maxCount: Int = 0, interval: Duration = .milliseconds(20), backOffFactor: Double = 1,
        maxWaitInterval: Duration = .seconds(30)
    ) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        // Longer than any test waits, so that one that fails ends.
        (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
        configuration.retryConfig = WebSocketRetryConfig(
            maxCount: maxCount, interval: interval, backOffFactor: backOffFactor, maxWaitInterval: maxWaitInterval
        ) { [events, noted] event in
            events.withLock { $0.append(event) }
            noted.signal()
        }
        return configuration
    }
}
