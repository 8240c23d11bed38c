// Suspending/: what tasks are suspended on.
//
// Holds: a signal for a task, time limits by the loop's timers, and the one face that blocked and suspended callers have to
// those who wake them.
// Used by: applications.
// Uses: Blocking, Loop.

/// The counterpart of ``MonotonicSemaphore`` for a task: a signal has the one task that waits look again, or the next that
/// will. A signal says no more than that, and may come in vain: the result of a call, the end of its time and its task's
/// cancellation all come this way, and the caller looks which it was.
package final class TaskSignal: @unchecked Sendable {
    // Safe to share: the variables are touched only with `mutex` held, which goes with the last reference, when nobody can be
    // waiting any more.
    private let mutex = PosixMutex()
    private var isSignalled = false
    private var sleeper: CheckedContinuation<Void, Never>?

    package init() {}

    /// Wakes the task that waits. Does not block, and runs nothing of the task on this thread.
    package func signal() {
        mutex.lock()
        let woken = sleeper
        sleeper = nil
        if woken == nil { isSignalled = true }
        mutex.unlock()
        woken?.resume()
    }

    /// Suspends until a signal, or the task's cancellation; returns at once where the task is cancelled already.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { park($0) }
        } onCancel: {
            signal()
        }
    }

    /// The same until `deadline` at the longest.
    /// - Parameter loop: whose timers tell of it, if one runs.
    package func wait(until deadline: Deadline, by loop: ServiceLoop?) async {
        guard let remaining = deadline.remaining else { return await wait() }
        guard remaining > .zero else { return }
        let alarm = Alarm(self, after: remaining, on: loop)
        await wait()
        alarm.cancel()
    }

    private func park(_ continuation: CheckedContinuation<Void, Never>) {
        mutex.lock()
        let mayGoOn = isSignalled
        isSignalled = false
        if !mayGoOn { sleeper = continuation }
        mutex.unlock()
        if mayGoOn { continuation.resume() }
    }
}

// MARK: - How a caller is woken, whichever way they wait

/// What the core knows of a caller who waits: that they can be told to look again. A thread that is blocked and a task that is
/// suspended are the same to it.
package enum CallerSignal: Sendable {
    case blocked(MonotonicSemaphore)
    case suspended(TaskSignal)

    package func signal() {
        switch self {
        case .blocked(let semaphore): semaphore.signal()
        case .suspended(let task): task.signal()
        }
    }

    /// What a blocked caller sleeps on.
    package var semaphore: MonotonicSemaphore? {
        if case .blocked(let semaphore) = self { semaphore } else { nil }
    }
}
