// What comes from the peer, on its way to the output.

import LWSServiceLoop
import LWSWebSocket

/// Reads messages and shows them, on a thread of its own.
final class Receiver: Sendable {
    private struct Activity {
        var count = 0
        var last = ContinuousClock.now
        /// The output may take its time.
        var isShowing = false
    }

    private let client: WebSocketClient
    private let closer: Closer
    private let output: any Output
    private let ends: SessionEnds
    /// How many messages are enough; `nil`: none are.
    private let limit: Int?
    private let activity = Locked(Activity())

    init(
        _ client: WebSocketClient, _ closer: Closer, _ output: any Output, _ ends: SessionEnds, limit: Int?
    ) {
        self.client = client
        self.closer = closer
        self.output = output
        self.ends = ends
        self.limit = limit
    }

    /// When something came last; `nil`: just now, for it is still being shown.
    var lastArrival: ContinuousClock.Instant? { activity.withLock { $0.isShowing ? nil : $0.last } }

    /// Until the connection's end, or that of the output, or until it is enough; reports which.
    func run() {
        while true {
            do throws(WebSocketError) {
                guard show(try client.readMessage()) else { return }
            } catch {
                // A read ends where this side begins to close. What comes until the peer has closed as well is kept.
                if closer.hasBegun { closer.wait() }
                return drain(error)
            }
        }
    }

    /// Shows what had arrived before the end.
    private func drain(_ first: WebSocketError) {
        guard first.code == .connectionClosure else { return ends.report(.failed(first)) }
        while true {
            do throws(WebSocketError) {
                guard show(try client.readMessage()) else { return }
            } catch {
                return ends.report(.failed(error))
            }
        }
    }

    /// False where there is nothing more to be shown, which has been reported.
    private func show(_ message: WebSocketMessage) -> Bool {
        activity.withLock { $0.isShowing = true }
        guard output.show(message) else {
            ends.report(.outputGone)
            return false
        }
        let count = activity.withLock { activity in
            activity.count += 1
            activity.last = .now
            activity.isShowing = false
            return activity.count
        }
        guard count == limit else { return true }
        ends.report(.receivedEnough)
        return false
    }
}
