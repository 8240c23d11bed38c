// How a caller is woken, whichever way they wait.

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
