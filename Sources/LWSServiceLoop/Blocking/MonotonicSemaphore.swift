// What a blocked caller sleeps on.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A counting semaphore whose timed wait runs on the monotonic clock.
///
/// `DispatchSemaphore` waits on the wall clock on Linux (libdispatch turns the timeout into an absolute
/// `CLOCK_REALTIME` time for `sem_timedwait`), so a step of that clock would shorten or stretch a time limit.
package final class MonotonicSemaphore: @unchecked Sendable {
    // Safe to share: `count` is touched only with `mutex` held; mutex and condition are set once, never moved,
    // and destroyed when the last reference is gone, when nobody can be waiting any more.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var count = 0

    package init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        precondition(pthread_mutex_init(mutex, nil) == 0, "pthread_mutex_init failed")
        #if canImport(Darwin)
            precondition(pthread_cond_init(condition, nil) == 0, "pthread_cond_init failed")
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            precondition(pthread_cond_init(condition, &attributes) == 0, "pthread_cond_init failed")
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deinitialize(count: 1)
        condition.deallocate()
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    /// Lets one waiter, present or future, through.
    package func signal() {
        pthread_mutex_lock(mutex)
        count += 1
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Blocks until a signal or `deadline`. Returns false where the deadline came first.
    package func wait(until deadline: Deadline) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while count == 0 {
            guard let remaining = deadline.remaining else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            if remaining == .zero { return false }
            waitOnce(atMost: remaining)
        }
        count -= 1
        return true
    }

    /// One wait, which may end early (a spurious wake-up); the caller looks again.
    private func waitOnce(atMost duration: Duration) {
        #if canImport(Darwin)
            var relative = timespec(duration)
            pthread_cond_timedwait_relative_np(condition, mutex, &relative)
        #else
            var absolute = timespec()
            clock_gettime(CLOCK_MONOTONIC, &absolute)
            let wait = timespec(duration)
            absolute.tv_sec += wait.tv_sec
            absolute.tv_nsec += wait.tv_nsec
            if absolute.tv_nsec >= 1_000_000_000 {
                absolute.tv_sec += 1
                absolute.tv_nsec -= 1_000_000_000
            }
            pthread_cond_timedwait(condition, mutex, &absolute)
        #endif
    }
}

extension timespec {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }
}
