// When and how often a client connects again.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How a client connects again.
///
/// It applies to the first connect, and to a connection that was lost without a close frame: the read or write that
/// meets the loss makes a background thread connect again, and goes on where it was. It keeps to its own time limit
/// meanwhile; one that runs out of time says so, and a later call can succeed.
///
/// - What is tried again: a server that cannot be reached, that ends TCP during the handshake, that answers too late
///   (``ClientConfiguration/handShakeTimeout`` goes for each attempt), or that answers with a 5xx. Nothing else is:
///   neither a 4xx, nor another answer that is no handshake, nor a close frame of the server.
/// - Messages that had arrived before the loss are read first. What the server sent while the client was away is
///   lost, as far as the protocol on top does not repeat it.
/// - A message that is being written is sent again only where no byte of it had left. Else the write throws
///   `connectionClosure`, says that a part may have been sent, and is not retriable. No message is ever sent twice.
/// - A success resets the count. When the attempts are used up, the waiting calls throw the last attempt's error, and
///   later ones `connectionClosure` with 1006.
/// - ``WebSocketClient/close(statusCode:reason:timeout:)-1lu30`` ends it all at once, and so does dropping the client.
public struct WebSocketRetryConfig: Sendable {
    /// How many attempts are made after the one that failed, or after a loss. 0: without limit.
    public var maxCount = 0

    /// The wait before the first of them. More than zero.
    public var interval: Duration = .seconds(1)

    /// By how much each wait is longer than the one before it: attempt n, counted from 0, comes after
    /// `interval` x `backOffFactor`^n. At least 1, which keeps the waits the same.
    public var backOffFactor = 1.0

    /// The longest wait. Not negative; zero means no wait at all, with as many attempts as the machine manages.
    public var maxWaitInterval: Duration = .seconds(30)

    /// Is told of each wait before it begins.
    ///
    /// Called on the thread that connects: the caller's for the first connect, a background thread for a lost
    /// connection. The wait begins when it returns, so it should return soon. It may close the client; it must not
    /// read or write, which would wait for the attempt that waits for it. A closure that holds the client strongly
    /// keeps it from ever being freed.
    public var onRetry: (@Sendable (WebSocketRetryEvent) -> Void)?

    /// The defaults, but for what is given.
    public init(
        maxCount: Int = 0, interval: Duration = .seconds(1), backOffFactor: Double = 1,
        maxWaitInterval: Duration = .seconds(30), onRetry: (@Sendable (WebSocketRetryEvent) -> Void)? = nil
    ) {
        self.maxCount = maxCount
        self.interval = interval
        self.backOffFactor = backOffFactor
        self.maxWaitInterval = maxWaitInterval
        self.onRetry = onRetry
    }
}

/// A client is about to wait, and then to connect again.
public struct WebSocketRetryEvent: Sendable {
    /// The number of the attempt, from 0.
    public let attempt: Int
    /// How long the client waits before it.
    public let wait: Duration
    /// Why it is made: how the connection was lost, or how the attempt before failed.
    public let error: WebSocketError
}

extension WebSocketRetryConfig {
    /// The wait before an attempt. The power grows past every limit; the comparison is made before it has to fit
    /// into a `Duration`.
    func wait(before attempt: Int) -> Duration {
        let seconds = interval / .seconds(1) * pow(backOffFactor, Double(attempt))
        guard seconds < maxWaitInterval / .seconds(1) else { return maxWaitInterval }
        return backOffFactor == 1 ? interval : .seconds(seconds)
    }

    func allows(attempt: Int) -> Bool { maxCount == 0 || attempt < maxCount }

    func validate() throws(WebSocketError) {
        func invalid(_ field: String, _ what: String) -> WebSocketError {
            WebSocketError(.invalidArgument, "retryConfig.\(field): \(what)")
        }
        guard maxCount >= 0 else { throw invalid("maxCount", "\(maxCount) is negative; 0 means no limit") }
        guard interval > .zero else { throw invalid("interval", "\(interval) is not more than zero") }
        guard backOffFactor >= 1, backOffFactor.isFinite else {
            throw invalid("backOffFactor", "\(backOffFactor) is not a number of at least 1")
        }
        guard maxWaitInterval >= .zero else { throw invalid("maxWaitInterval", "\(maxWaitInterval) is negative") }
    }
}
