// Blocking/: what threads share and block on.
//
// Holds: locks, a semaphore on the monotonic clock, deadlines, and what interrupts a wait for descriptors.
// Used by: Suspending, Loop.
// Uses: CLibWebSockets.

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
    // Safe to share: `count` and `listener` are touched only with `mutex` held; mutex and condition go with the last
    // reference, when nobody can be waiting any more.
    private let mutex = PosixMutex()
    private let condition = PosixCondition()
    private var count = 0
    /// Somebody who waits otherwise: see ``attach(_:)``.
    private var listener: (waker: Waker, thread: pthread_t)?

    package init() {}

    /// Lets one waiter, present or future, through.
    package func signal() {
        mutex.lock()
        count += 1
        let listener = listener
        mutex.unlock()
        // After that, or who wakes up would wait for the mutex first.
        guard let listener else { return condition.signal() }
        guard pthread_equal(listener.thread, pthread_self()) == 0 else { return }
        listener.waker.signal()
    }

    /// Has signals end the wait of the current thread for descriptors, of which `waker` is one. Its own signals do not: it
    /// looks for them.
    func attach(_ waker: Waker) {
        mutex.lock()
        listener = (waker, pthread_self())
        mutex.unlock()
    }

    func detach() {
        mutex.lock()
        listener = nil
        mutex.unlock()
    }

    /// Whether a wait would not block. Takes nothing.
    var isSignalled: Bool {
        mutex.lock()
        defer { mutex.unlock() }
        return count > 0
    }

    /// Takes a signal that is there. Returns false where there is none.
    package func tryWait() -> Bool {
        mutex.lock()
        defer { mutex.unlock() }
        guard count > 0 else { return false }
        count -= 1
        return true
    }

    /// Blocks until a signal or `deadline`. Returns false where the deadline came first.
    package func wait(until deadline: Deadline) -> Bool {
        mutex.lock()
        defer { mutex.unlock() }
        while count == 0 {
            guard let remaining = deadline.remaining else {
                condition.wait(mutex)
                continue
            }
            if remaining == .zero { return false }
            condition.wait(mutex, atMost: remaining)
        }
        count -= 1
        return true
    }
}
