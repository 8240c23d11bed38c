// Pongs on their way to the application's handler.

internal import DequeModule
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Calls the handler away from the loop, which must not wait for it, in order. One for a client and all its connections.
///
/// A connection stops reading while as many pongs wait as may. Those that another one left behind are not its own, so
/// what comes on top of them is dropped. So is what comes while the system has no thread to call the handler on: Dispatch
/// would wait for one, on the thread of the loop (queue.c: _dispatch_root_queue_poke_slow).
final class PongDelivery: Sendable {
    private struct Pong {
        let payload: [UInt8]
        let done: @Sendable () -> Void
    }

    private struct State {
        /// Those that the handler has not been called with.
        var waiting = Deque<Pong>()
        /// These and the one that the handler is busy with.
        var outstanding = 0
        /// A thread calls the handler until nothing waits.
        var hasThread = false
        /// That thread, once it runs.
        var thread: pthread_t?
    }

    private let handler: any PingPongHandler
    // Safe to share: pthread_t is a handle, compared with the lock held.
    private let state = Locked(State())

    /// The most that wait. A connection stops reading at ``InboundQueue/maxPongs``, which takes effect at the end of what
    /// lws has read at once: from 4.4.2 on, which have the block parser, that many pongs of two bytes more.
    static let limit = InboundQueue.maxPongs + LoopContext.serviceBufferSize / 2

    init(_ handler: any PingPongHandler) { self.handler = handler }

    /// Has the handler called, and `done` after it. Returns false where neither is: too many wait, or there is no thread.
    /// Called by the holder of the loop alone.
    func deliver(_ payload: [UInt8], done: @escaping @Sendable () -> Void) -> Bool {
        let needsThread = state.withLock { state -> Bool? in
            guard state.outstanding < Self.limit else { return nil }
            state.outstanding += 1
            state.waiting.append(Pong(payload: payload, done: done))
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard let needsThread else { return false }
        guard needsThread else { return true }
        do throws(LoopError) {
            try LoopThread(name: "lws-pongs") { self.callHandler() }.detach()
            return true
        } catch {
            // Without a thread nothing had waited before it.
            state.withLock { $0 = State() }
            return false
        }
    }

    /// Whether it is the handler that makes a call.
    var isHandlerCalling: Bool {
        state.withLock { state in state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    private func callHandler() {
        state.withLock { $0.thread = pthread_self() }
        while let pong = next() {
            ForkedProcess.callOut { handler.onPong(pong.payload) }
            state.withLock { $0.outstanding -= 1 }
            pong.done()
        }
    }

    private func next() -> Pong? {
        state.withLock { state in
            let pong = state.waiting.popFirst()
            if pong == nil { (state.hasThread, state.thread) = (false, nil) }
            return pong
        }
    }
}
