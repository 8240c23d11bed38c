// Pongs on their way to the application's handler.

internal import Dispatch
internal import LWSServiceLoop

/// Calls the handler away from the loop, which must not wait for it, in order. One for a client and all its connections.
///
/// A connection stops reading while as many pongs wait as may. Those that another one left behind are not its own, so
/// what comes on top of them is dropped.
final class PongDelivery: Sendable {
    private let handler: any PingPongHandler
    private let queue = DispatchQueue(label: "lws-websocket.pongs")
    private let waiting = Locked(0)

    /// The most that wait. A connection stops reading at ``InboundQueue/maxPongs``, which takes effect at the end of what
    /// lws has read at once: from 4.4.5 on, which have the block parser, that many pongs of two bytes more.
    static let limit = InboundQueue.maxPongs + LoopContext.serviceBufferSize / 2

    init(_ handler: any PingPongHandler) { self.handler = handler }

    /// Has the handler called, and `done` after it. Returns false where too many wait, and neither is called.
    func deliver(_ payload: [UInt8], done: @escaping @Sendable () -> Void) -> Bool {
        let isFull = waiting.withLock { waiting in
            guard waiting < Self.limit else { return true }
            waiting += 1
            return false
        }
        guard !isFull else { return false }
        queue.async { [self] in
            handler.onPong(payload)
            waiting.withLock { $0 -= 1 }
            done()
        }
        return true
    }
}
