// The time limits of suspended callers.

internal import LWSServiceLoop

/// A call's deadline, and the loop whose timers tell a suspended caller of it, if one runs.
struct TimeLimit: Sendable {
    let deadline: Deadline
    /// Keeps the loop running.
    private let lease: LoopLease?

    static let none = TimeLimit(deadline: .never, lease: nil)

    init(deadline: Deadline, lease: LoopLease?) {
        self.deadline = deadline
        self.lease = lease
    }

    var hasPassed: Bool { deadline.hasPassed }

    /// Suspends until the signal, the deadline or the task's cancellation. The caller looks which it was.
    func wait(for signal: TaskSignal) async { await signal.wait(until: deadline, by: lease?.loop) }
}

extension WebSocketError {
    /// The task of a call was cancelled.
    /// - Parameters:
    ///   - what: what has become of the call.
    ///   - mayBeRepeated: whether it has left nothing behind.
    static func cancelled(_ what: String, host: String, mayBeRepeated: Bool = true) -> WebSocketError {
        WebSocketError(
            .cancelled, "The task was cancelled: \(what)", host: host, mayBeRepeated: mayBeRepeated)
    }
}
