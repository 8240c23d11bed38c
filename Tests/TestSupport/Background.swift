// Blocking calls on threads of their own.

import LWSServiceLoop

/// A blocking call that runs on a thread of its own, not on one of the test runner's few.
package final class Background<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, any Error>?>(nil)
    private let done = MonotonicSemaphore()

    package init(_ body: @escaping @Sendable () throws -> Value) throws {
        try LoopThread(name: "test") { [result, done] in
            let outcome = Result { try body() }
            result.withLock { $0 = outcome }
            done.signal()
        }.detach()
    }

    /// What the call returned or threw. Fails the test where it does not end in time.
    package func value(within limit: Duration = Timing.ages) throws -> Value {
        guard done.wait(until: Deadline(after: limit)), let result = result.withLock({ $0 }) else {
            throw StillRunning(limit: limit)
        }
        done.signal()
        return try result.get()
    }

    /// Whether the call is still under way when `duration` is over.
    package func isBlocked(for duration: Duration = .milliseconds(100)) -> Bool {
        guard done.wait(until: Deadline(after: duration)) else { return true }
        done.signal()
        return false
    }
}

package struct StillRunning: Error, CustomStringConvertible {
    let limit: Duration
    package init(limit: Duration) { self.limit = limit }
    package var description: String { "a call did not end within \(limit)" }
}
