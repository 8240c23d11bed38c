// Events on their way to the application's handler.

internal import DequeModule
internal import LWSServiceLoop

/// Calls the handler on a thread that there is only while events wait, in order. Of more than may wait the oldest are dropped.
final class EventDelivery: Sendable {
    private struct State {
        var waiting = Deque<WebSocketEvent>()
        var missed = 0
        /// A thread calls the handler until nothing waits.
        var hasThread = false
    }

    private let handler: @Sendable (WebSocketEvent) -> Void
    private let state = Locked(State())
    private let most: Int

    /// - Parameter most: how many events may wait.
    init(most: Int, _ handler: @escaping @Sendable (WebSocketEvent) -> Void) {
        self.handler = handler
        self.most = most
    }

    /// Has the handler called. Does not wait for it. What comes while the system has no thread left is dropped.
    func deliver(_ event: WebSocketEvent) {
        let needsThread = state.withLock { state in
            if state.waiting.count == most {
                state.waiting.removeFirst()
                state.missed += 1
            }
            state.waiting.append(event)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard needsThread else { return }
        do throws(LoopError) {
            try LoopThread(name: "lws-events") { self.callHandler() }.detach()
        } catch {
            state.withLock { state in
                state.missed += state.waiting.count
                state.waiting = []
                state.hasThread = false
            }
        }
    }

    private func callHandler() {
        while let event = next() { handler(event) }
    }

    private func next() -> WebSocketEvent? {
        state.withLock { state in
            guard var event = state.waiting.popFirst() else {
                state.hasThread = false
                return nil
            }
            // All that were dropped came before the oldest that waits.
            event.missed = state.missed
            state.missed = 0
            return event
        }
    }
}
