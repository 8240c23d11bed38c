// What the connection asks of the layer below it.

internal import LWSServiceLoop

/// The way from a connection to the loop that serves it. Callable from any thread; nothing here blocks: each call
/// hands work to the holder of the loop.
protocol Transport: Sendable {
    /// Begins to connect. Called once, when the connection knows the transport, for the answer may come at once.
    func start()
    /// Asks to be called for frames (`Connection.nextFrame`) when the socket takes them.
    func requestWrite()
    /// Lets lws read from the socket again.
    func resumeReading()
    /// Ends the connection at the latest after this time, whatever the peer does.
    func endAfter(_ limit: Duration)
    /// Ends the connection now, without a close frame.
    func abort()
    /// Whether the current thread is the one that serves the loop, and must not be blocked.
    var isOnLoop: Bool { get }
}
