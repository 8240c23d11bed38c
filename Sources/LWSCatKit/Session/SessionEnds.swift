// What brings a session to its end.

import LWSServiceLoop
import LWSWebSocket

/// Something after which a session does not go on as before.
enum SessionEnd: Sendable {
    /// Nothing more comes from the input.
    case inputOver
    /// As many messages as asked for have been received.
    case receivedEnough
    /// Something in the input cannot be sent.
    case inputFailed(String)
    /// A call failed, mostly because the connection has ended.
    case failed(WebSocketError)
    /// Nobody reads the output any more.
    case outputGone
    /// The user closes.
    case closed
    /// A signal asks the process to end; the connection has been closed.
    case interrupted
}

/// The ends that threads report, in the order of their reports.
final class SessionEnds: Sendable {
    private let reports = Locked<[SessionEnd]>([])
    private let news = MonotonicSemaphore()

    func report(_ end: SessionEnd) {
        reports.withLock { $0.append(end) }
        news.signal()
    }

    /// The next one. Blocks; `nil`: there was none until `deadline`.
    func next(until deadline: Deadline = .never) -> SessionEnd? {
        guard news.wait(until: deadline) else { return nil }
        return reports.withLock { $0.removeFirst() }
    }
}
