// What happens to a client, for those who watch it.

/// A step in the life of a client's connection, for status displays and logs: ``WebSocketClient/events`` and
/// ``ClientConfiguration/eventHandler``.
///
/// A struct with an extensible ``Kind``, as ``WebSocketError`` is, so that a later release can tell of more.
public struct WebSocketEvent: Sendable {
    /// What has happened.
    public let kind: Kind
    /// When, on the monotonic clock.
    public let time: ContinuousClock.Instant
    /// The attempt to connect that begins (``Kind/connecting``) or is waited for (``Kind/reconnecting``): 0 is a client's first,
    /// n the nth that is made after one that failed or after a loss. A success resets the count.
    public let attempt: Int?
    /// How long the client waits before that attempt (``Kind/reconnecting``).
    public let wait: Duration?
    /// What went wrong: how the attempt before failed or the connection was lost (``Kind/reconnecting``), or why there is none
    /// any more (``Kind/closed``, where it did not just end).
    public let error: WebSocketError?
    /// How the connection ends or has ended, as far as is known by then (``Kind/closing``, ``Kind/lost``, ``Kind/closed``).
    public let closure: WebSocketError.Closure?
    /// The payload (``Kind/ping`` and ``Kind/pong``).
    public let payload: [UInt8]
    /// How many events before this one are missing, because whoever watches was too slow for them.
    public internal(set) var missed = 0

    init(
        _ kind: Kind, attempt: Int? = nil, wait: Duration? = nil, error: WebSocketError? = nil,
        closure: WebSocketError.Closure? = nil, payload: [UInt8] = []
    ) {
        self.kind = kind
        time = .now
        self.attempt = attempt
        self.wait = wait
        self.error = error
        self.closure = closure
        self.payload = payload
    }

    /// The kinds of event, each a stable name.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        private init(_ name: String) { description = name }

        /// An attempt to connect begins.
        public static let connecting = Kind("connecting")
        /// The connection is open.
        public static let open = Kind("open")
        /// The connection was lost without a close frame. The next read or write makes another
        /// (``ClientConfiguration/retryConfig``); without that it is ``closed`` instead.
        public static let lost = Kind("lost")
        /// The client waits, and then connects again.
        public static let reconnecting = Kind("reconnecting")
        /// A ping of this side has been handed to the operating system. Those of the peer libwebsockets shows to nobody.
        public static let ping = Kind("ping")
        /// A pong has arrived, be it to a ping of the application or of the client itself.
        public static let pong = Kind("pong")
        /// One side has begun to close the connection.
        public static let closing = Kind("closing")
        /// There is no connection any more, and will be none. The last event.
        public static let closed = Kind("closed")
    }
}

extension WebSocketEvent: CustomStringConvertible {
    /// One line, without payloads.
    public var description: String {
        var text = "\(kind)"
        if let attempt { text += ", attempt \(attempt)" }
        if let wait { text += " in \(wait)" }
        if let closure { text += " (\(closure.code))" }
        if let error { text += ": \(error)" }
        return text
    }
}

// MARK: - What an application does with the peer's pongs

/// Is told of the pongs that arrive.
///
/// Pings of the peer are answered by libwebsockets, which shows them to nobody: `lws_ws_client_rx_sm`
/// (lib/roles/ws/client-parser-ws.c in 4.1 to 5.0) keeps the payload for the pong and makes no callback. So there is
/// nothing here for pings.
public protocol PingPongHandler: Sendable {
    /// A pong has arrived: the answer to a ``WebSocketClient/ping(_:)``, with the same payload, or an unsolicited one.
    ///
    /// Pongs to pings that the client sends by itself, for ``ClientConfiguration/pingInterval`` and
    /// ``WebSocketClient/roundTripTime(timeout:)``, are not passed on.
    ///
    /// Called on a background thread, one call at a time and in the order in which the pongs came. It may block and
    /// may use the client. While 64 calls are outstanding the client reads nothing more from its socket, unless the handler
    /// itself waits for the client: then pongs go on to gather, and those beyond some 32,000 are dropped. So is a pong that
    /// comes while the system has no thread left to call on.
    func onPong(_ payload: [UInt8])
}
