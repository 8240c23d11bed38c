// What the connection asks of the layer below it.

internal import LWSServiceLoop

/// The way from a connection to the loop that serves it. Callable from any thread; nothing here blocks but ``wait``: each
/// call hands work to the loop's thread, or does it at once.
protocol Transport: AnyObject, Sendable {
    /// Begins to connect. Called once, when the connection knows the transport, for the answer may come at once.
    func start()
    /// Asks to be called for frames (`Connection.nextFrame`) when the socket takes them.
    func requestWrite()
    /// Sends a message that is not queued, on this thread, where nothing is to leave before it.
    func sendDirectly(_ message: OutgoingMessage) -> DirectSending
    /// Sends what the connection has queued, on this thread. Returns false where the loop's thread has to.
    func sendNow() -> Bool
    /// The same for one who must not be blocked. Returns false also where others hold the loop.
    func trySendNow() -> Bool
    /// A suspended caller waits for what the peer sends: the loop's thread has to look.
    func attend()
    /// Blocks until the semaphore is signalled, and may serve the connection meanwhile. Returns false where the deadline
    /// comes first.
    /// - Parameter isWaitedFor: whether others wait for the connection too, when this caller goes.
    func wait(for semaphore: MonotonicSemaphore, until deadline: Deadline, _ isWaitedFor: () -> Bool) -> Bool
    /// Lets lws read from the socket again.
    func resumeReading()
    /// Ends the connection at the latest after this time, whatever the peer does.
    func endAfter(_ limit: Duration)
    /// Ends the connection now, without a close frame.
    func abort()
    /// Whether the current thread is the one that serves the loop, and must not be blocked.
    var isOnLoop: Bool { get }
}

/// What became of a message that is sent without being queued.
enum DirectSending {
    /// Every byte is with the operating system.
    case sent
    /// The system has not taken all of it. lws has the rest or gets it next, and the connection knows of it now.
    case begun
    /// It has to be queued.
    case refused
}

extension Transport {
    func sendDirectly(_ message: OutgoingMessage) -> DirectSending { .refused }
    func sendNow() -> Bool { false }
    /// Sends what the connection has queued, on this thread or on the loop's.
    func flush() { if !sendNow() { requestWrite() } }
    func trySendNow() -> Bool { false }
    func attend() {}
    func wait(for semaphore: MonotonicSemaphore, until deadline: Deadline, _ isWaitedFor: () -> Bool) -> Bool {
        semaphore.wait(until: deadline)
    }
}
