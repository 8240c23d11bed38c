// Blocking calls on threads of their own.

import LWSServiceLoop
import TestSupport

/// A blocking call that runs on a thread of its own, not on one of the test runner's few.
final class Background<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, any Error>?>(nil)
    private let done = MonotonicSemaphore()

    init(_ body: @escaping @Sendable () throws -> Value) throws {
        try LoopThread(name: "test") { [result, done] in
            let outcome = Result { try body() }
            result.withLock { $0 = outcome }
            done.signal()
        }.detach()
    }

    /// What the call returned or threw. Fails the test where it does not end in time.
    func value(within limit: Duration = .seconds(20)) throws -> Value {
        guard done.wait(until: Deadline(after: limit)), let result = result.withLock({ $0 }) else {
            throw PeerError("a call did not end within \(limit)")
        }
        done.signal()
        return try result.get()
    }

    /// Whether the call is still under way when `duration` is over.
    func isBlocked(for duration: Duration) -> Bool {
        guard done.wait(until: Deadline(after: duration)) else { return true }
        done.signal()
        return false
    }
}
