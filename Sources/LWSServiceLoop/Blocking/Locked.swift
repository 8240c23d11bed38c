// A value behind a lock.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A value that several threads share, reachable only while its lock is held.
///
/// `Synchronization.Mutex` would do the same, but the thread sanitizer does not see its contended path on Linux
/// (that code sits in the uninstrumented runtime library) and reports every value behind it as a race. The suite
/// has to pass under that sanitizer, so this stands on `pthread_mutex_t`, which the sanitizer knows.
package final class Locked<Value>: @unchecked Sendable {
    // Safe to share: `value` is touched in `withLock` alone, between lock and unlock of `mutex`; `mutex` is set
    // once, never moved, and destroyed when the last reference is gone.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let status = pthread_mutex_init(mutex, nil)
        precondition(status == 0, "pthread_mutex_init failed: \(status)")
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    /// Runs `body` with the lock held. `body` must not block and must not take the same lock again.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
