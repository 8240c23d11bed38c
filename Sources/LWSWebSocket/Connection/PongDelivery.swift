// Pongs on their way to the application's handler.

internal import Dispatch

/// Calls the handler away from the loop, which must not wait for it, in order.
struct PongDelivery: Sendable {
    private let handler: any PingPongHandler
    private let queue = DispatchQueue(label: "lws-websocket.pongs")

    init(_ handler: any PingPongHandler) { self.handler = handler }

    /// Has the handler called, and `done` after it.
    func deliver(_ payload: [UInt8], done: @escaping @Sendable () -> Void) {
        queue.async {
            handler.onPong(payload)
            done()
        }
    }
}
