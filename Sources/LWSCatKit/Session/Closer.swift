// The one close of a session, whoever wants it.

import LWSServiceLoop
import LWSWebSocket

/// Closes a client once. Others who close meanwhile wait for that.
final class Closer: Sendable {
    private enum State {
        case open, closing
        case closed(isAnswered: Bool)
    }

    private let client: WebSocketClient
    private let state = Locked(State.open)
    private let done = MonotonicSemaphore()

    init(_ client: WebSocketClient) { self.client = client }

    /// Whether this side has begun to close.
    var hasBegun: Bool { state.withLock { if case .open = $0 { false } else { true } } }

    /// Closes, and returns when the connection has ended, at most after `timeout`. Returns whether the peer has ended it
    /// in time.
    /// - Throws: `invalidArgument` for a code or reason that cannot be sent.
    @discardableResult
    func close(
        statusCode: Int = 1000, reason: String? = nil, timeout: Duration
    ) throws(WebSocketError) -> Bool {
        let isFirst = state.withLock { state in
            guard case .open = state else { return false }
            state = .closing
            return true
        }
        guard isFirst else { return wait(atMost: timeout) }
        let deadline = Deadline(after: timeout)
        do throws(WebSocketError) {
            try client.close(statusCode: statusCode, reason: reason, timeout: timeout)
        } catch {
            state.withLock { $0 = .open }
            throw error
        }
        let isAnswered = !deadline.hasPassed
        state.withLock { $0 = .closed(isAnswered: isAnswered) }
        done.signal()
        return isAnswered
    }

    /// Waits for a close that has begun. Returns whether the peer has answered it.
    @discardableResult
    func wait(atMost limit: Duration? = nil) -> Bool {
        guard done.wait(until: Deadline(after: limit)) else { return false }
        done.signal()  // for the next one
        return state.withLock { if case .closed(let isAnswered) = $0 { isAnswered } else { false } }
    }
}
