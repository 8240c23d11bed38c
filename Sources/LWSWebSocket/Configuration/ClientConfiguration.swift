// Configuration/: what a client can be told, and the reading of it from JSON.
//
// Holds: the configuration as a whole; the settings of a part stand in the room of that part. JSONField reads them from a file,
// naming the field that is wrong.
// Used by: Client, Reconnecting.
// Uses: Addressing, Auth, Compression, Connection, Errors, Events, Files, HTTP, JSON, OpenSSL, TLS, Utilities; HTTPTypes,
// Logging.

public import HTTPTypes
public import Logging

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The configuration of a ``WebSocketClient``. A value: changing it later does not
/// change clients made from it.
///
/// Messages that nobody reads wait in the client, about 1 MiB or 4,096 of them. Then it stops reading from its socket,
/// and until somebody reads again it does not see what comes behind them either: pings are not answered, and a close
/// of the peer goes unnoticed.
public struct ClientConfiguration: Sendable {
    /// Sub-protocols to offer, the preferred one first (RFC 6455, section 1.9). Where any is offered the server has
    /// to choose one of them: another one, or none, is ``WebSocketError/Code/invalidHandshake``. Each has to be a
    /// token, and none may come twice.
    public var subProtocols: [String] = []

    /// Cookies sent with the handshake, in one Cookie field, the one with the longest path first. A Cookie field in
    /// ``customHeaders`` goes before them.
    public var cookies: [Cookie] = []

    /// Fields sent with the handshake, besides those that the handshake itself owns. `Host` may be given and
    /// replaces the URL's. `Upgrade`, `Connection` and `Sec-WebSocket-*` are refused with
    /// ``WebSocketError/Code/invalidArgument``, and so is a request of more than 16 KiB in all: its path, fields, cookies
    /// and sub-protocols together.
    ///
    /// Without a `User-Agent` here the library's name and version are sent as one (RFC 9110, section 10.1.5); with an
    /// empty one none is.
    ///
    /// An `HTTPField` cannot hold a line break: swift-http-types replaces them by spaces when it is made.
    /// ``addHeader(_:_:)`` refuses them.
    public var customHeaders: HTTPFields = [:]

    /// The HTTP proxy to connect through. `nil`: none, whatever the environment says; for that there is
    /// ``Proxy/environment``. One that cannot be reached, or refuses, is ``WebSocketError/Code/connection`` and is
    /// named in the error; ``handShakeTimeout`` bounds it too.
    public var proxy: Proxy?

    /// Where to connect from: an IP address of this machine, or the name of one of its interfaces ("eth0"), which stands
    /// for its first address of the right family. Addresses of the server (or proxy) of the other family are passed
    /// over. The system chooses the port. `nil`: the system chooses the address as well.
    ///
    /// What can be neither is ``WebSocketError/Code/invalidArgument``; what this machine does not have at the time of
    /// connecting is ``WebSocketError/Code/connection``, for addresses come and go. Both name `localAddress`.
    public var localAddress: String?

    /// How `wss:` connections are secured. `nil`: as ``ClientSecureSocket/init()`` says, with the system's roots.
    public var secureSocket: ClientSecureSocket? {
        get { boxedSecureSocket }
        set { boxedSecureSocket = newValue }
    }
    @Boxed private var boxedSecureSocket: ClientSecureSocket?

    /// Who the client is, for servers that ask. `nil`: nothing is sent. Beside one of the kinds that the library knows there
    /// must be no `Authorization` in ``customHeaders``.
    public var auth: ClientAuthentication?

    /// How long one read waits for a message; on expiry ``WebSocketError/Code/readTimedOut``, and the connection
    /// stays open. `nil` or negative: no limit.
    public var readTimeout: Duration?

    /// How long one write waits until the operating system has taken the whole message; on expiry
    /// ``WebSocketError/Code/writeTimedOut``. If any byte of the message has left, the connection is ended, for a
    /// message cannot be taken back; else it stays open. `nil` or negative: no limit.
    public var writeTimeout: Duration?

    /// How long connecting may take, from the look-up of the host's name to the server's answer to the upgrade;
    /// on expiry ``WebSocketError/Code/handshakeTimedOut``. Negative: the default.
    public var handShakeTimeout: Duration = Self.defaultHandShakeTimeout

    /// The longest payload of one frame in bytes, both ways: a longer message is sent as several frames, a longer
    /// frame from the peer ends the connection with 1009 and ``WebSocketError/Code/payloadTooLarge``. 0 or
    /// negative: the default.
    public var maxFrameSize = Self.defaultMaxFrameSize

    /// The longest incoming message in bytes, fragments joined; a longer one ends the connection with 1009 and
    /// ``WebSocketError/Code/payloadTooLarge``. `nil`: no limit.
    public var maxMessageSize: Int? = 64 << 20

    /// Whether to offer the compression of messages, permessage-deflate (RFC 7692), and to use it where the server agrees.
    /// `false`: it is never offered. Compression makes sizes tell of contents: turn it off where an attacker can put
    /// text of their own next to a secret. A libwebsockets that was built without extensions offers none (``libraryVersion``).
    ///
    /// ``maxFrameSize`` counts a frame as it goes over the wire, ``maxMessageSize`` a message as it is read.
    public var webSocketCompressionEnabled = true

    /// What is offered, while ``webSocketCompressionEnabled`` is on.
    public var compression = CompressionOptions()

    /// Whether and how the client connects again, at first and after a loss. `nil`: it does not.
    public var retryConfig: WebSocketRetryConfig? {
        get { boxedRetryConfig }
        set { boxedRetryConfig = newValue }
    }
    @Boxed private var boxedRetryConfig: WebSocketRetryConfig?

    /// How many redirects of the handshake (301, 302, 303, 307 and 308 with a Location) one attempt to connect
    /// follows, all within ``handShakeTimeout``. 0: none. Where there are more, or a Location cannot be used,
    /// ``WebSocketError/Code/invalidHandshake`` with the last answer.
    ///
    /// A Location may be relative; `http:` and `https:` are taken for `ws:` and `wss:`; one that leads from `wss:` to
    /// `ws:` is refused. ``customHeaders`` (a Host among them) and ``cookies`` stay with the scheme, host and port of
    /// the client's URL: from the first redirect to another on they are not sent any more, on the way back neither. A
    /// new attempt begins at the client's URL. ``subProtocols`` are a part of the handshake and go everywhere: follow no
    /// redirects where one of them is a secret.
    public var followRedirects = 0

    /// Is told of pongs. `nil`: they are read and forgotten.
    public var pingPongHandler: (any PingPongHandler)? {
        get { boxedPingPongHandler }
        set { boxedPingPongHandler = newValue }
    }
    @Boxed private var boxedPingPongHandler: (any PingPongHandler)?

    /// Is told of every ``WebSocketEvent`` of the clients made with this configuration, from the first attempt to connect on:
    /// for status displays and logs, of blocking and suspended callers alike. `nil`: nobody is, and it costs nothing.
    ///
    /// Called on a background thread, one call at a time and in order. It may block and may use the client, but a client whose
    /// handler holds it strongly is never freed. While more than 64 events wait for it the oldest are dropped, and the next
    /// says how many (``WebSocketEvent/missed``). See ``WebSocketClient/events`` for the same as an `AsyncSequence`.
    public var eventHandler: (@Sendable (WebSocketEvent) -> Void)?

    /// How often a ping is sent while the connection is open, so that nobody between takes it for idle, and for
    /// ``pongTimeout``. Its payload is eight random bytes; its pong is not shown to ``pingPongHandler``. A ping that
    /// cannot leave, because the peer does not read, is not followed by another, and while there is something unread in
    /// the socket none is sent. `nil`: none at all. Has to be more than zero.
    public var pingInterval: Duration?

    /// How long the peer may stay silent after a ping of ``pingInterval``. Any pong and any data is a sign of life (a
    /// message that trickles in counts with every 4 KiB and at the end of each of its frames); pings of the peer,
    /// which libwebsockets shows to nobody, are not. When the time is up the connection is ended without a close
    /// frame, and blocked and later calls throw ``WebSocketError/Code/connectionClosure`` with code 1006 and the
    /// initiator `network`. `nil`: never. Has to be more than zero, and needs ``pingInterval``.
    ///
    /// While the client does not read from its socket, because the application does not read from the client, no pong
    /// can be seen; then nobody is judged, and the time begins anew when reading goes on. A ping waits behind what the
    /// operating system has still to send: allow for that where a lot is sent over a slow line.
    public var pongTimeout: Duration?

    /// Whether ``WebSocketClient/readMessage(as:)`` checks the constraints of a ``Validatable`` type after binding,
    /// and throws ``WebSocketError/Code/payloadValidation`` where one is violated. `false`: none is looked at.
    public var validation = true

    /// Writes the JSON of ``WebSocketClient/writeMessage(_:)-(Encodable)``. Set its strategies, or put another in its place:
    ///
    /// ```swift
    /// let configuration = ClientConfiguration()
    /// configuration.jsonEncoder.dateEncodingStrategy = .iso8601
    /// configuration.jsonDecoder.dateDecodingStrategy = .iso8601
    /// configuration.jsonDecoder.keyDecodingStrategy = .convertFromSnakeCase
    /// ```
    ///
    /// Every configuration begins with an encoder of its own, with Foundation's defaults. It is an object: copies of
    /// the configuration, and clients made from it, share it. So set it up before the first client is made.
    public var jsonEncoder = JSONEncoder()

    /// Reads the JSON of ``WebSocketClient/readMessage(as:)``. Shared in the same way as ``jsonEncoder``.
    public var jsonDecoder = JSONDecoder()

    /// Where the client logs. Each line has the metadata `ws_connection_id`, which is ``WebSocketClient/connectionID``, and
    /// `ws_connection`, which counts the connections of a client, from 1 on. Neither payloads nor credentials, nor header
    /// fields, nor the path and query of a URL are in it; ``loggedPayloadBytes`` asks for payloads.
    ///
    /// | level | what |
    /// |---|---|
    /// | `warning` | TLS that verifies nothing, token endpoints by `http:` |
    /// | `info` | a connection was lost, an attempt to connect is repeated: calls go on, and nothing else tells of that |
    /// | `debug` | each step of connecting and closing, frames by kind and size, when reading pauses |
    /// | `trace` | what messages say, where ``loggedPayloadBytes`` asks for it |
    ///
    /// The log handler is called where the thing happens: on the thread that calls, or on the one that serves the loop, which
    /// all its clients wait for meanwhile. One that may block for long should hand its lines to a thread of its own; a blocking
    /// call of a client is ``WebSocketError/Code/invalidArgument`` there, and what clients do in it is not logged. What
    /// libwebsockets itself has to say goes elsewhere: ``LibwebsocketsLog``.
    public var logger = Logger(label: "LWSWebSocket")

    /// So many bytes of each message are logged, at the level `trace`: text quoted, anything else in hexadecimal. 0: none, the
    /// default, for payloads may be secrets.
    public var loggedPayloadBytes = 0

    /// The defaults, which each property tells.
    public init() {}

    static let defaultHandShakeTimeout = Duration.seconds(300)
    static let defaultMaxFrameSize = 65536
    /// lws counts a frame's bytes in an `int`.
    static let largestFrameSize = 1 << 30

    /// Adds a field to ``customHeaders``, checked.
    /// - Throws: ``WebSocketError/Code/invalidArgument`` for a name that is no token (RFC 9110, section 5.1), a
    ///   value with CR, LF or NUL, and a field that the handshake owns.
    public mutating func addHeader(_ name: String, _ value: String) throws(WebSocketError) {
        try customHeaders.add(name, value, "customHeaders")
    }
}

extension ClientConfiguration {
    /// Checks everything that could be wrong before a byte is sent.
    func validate() throws(WebSocketError) {
        for field in customHeaders { try field.name.checkMayBeSet("customHeaders") }
        for cookie in cookies { try cookie.validate() }
        try proxy?.validate()
        try secureSocket?.validate()
        try auth?.validate("auth")
        guard auth?.isBuiltIn != true || customHeaders[.authorization] == nil else {
            throw WebSocketError(.invalidArgument, "customHeaders: Authorization is what auth sets")
        }
        if let localAddress { try LocalAddress.validate(localAddress) }
        for (index, name) in subProtocols.enumerated() {
            guard Token.isToken(name) else {
                throw WebSocketError(.invalidArgument, "subProtocols: \(name.debugDescription) is not a token")
            }
            guard !subProtocols[..<index].contains(name) else {
                throw WebSocketError(.invalidArgument, "subProtocols: \(name) is offered twice")
            }
        }
        try retryConfig?.validate()
        guard followRedirects >= 0 else {
            throw WebSocketError(
                .invalidArgument, "followRedirects: \(followRedirects) is negative; 0 means that none is followed")
        }
        guard maxFrameSize <= Self.largestFrameSize else {
            throw WebSocketError(
                .invalidArgument, "maxFrameSize: \(maxFrameSize) is more than \(Self.largestFrameSize) bytes")
        }
        try compression.validate()
        if let maxMessageSize, maxMessageSize < 0 {
            throw WebSocketError(
                .invalidArgument, "maxMessageSize: \(maxMessageSize) is negative; nil means no limit")
        }
        guard loggedPayloadBytes >= 0 else {
            throw WebSocketError(
                .invalidArgument, "loggedPayloadBytes: \(loggedPayloadBytes) is negative; 0 means none")
        }
        try validateKeepAlive()
    }

    /// Refuses a time that has no meaning, or none without another field.
    private func validateKeepAlive() throws(WebSocketError) {
        for (name, value) in [("pingInterval", pingInterval), ("pongTimeout", pongTimeout)] {
            guard let value, value <= .zero else { continue }
            throw WebSocketError(.invalidArgument, "\(name): \(value) is not more than zero; nil turns it off")
        }
        if pongTimeout != nil, pingInterval == nil {
            throw WebSocketError(.invalidArgument, "pongTimeout: there is no ping to wait for without pingInterval")
        }
    }

    var effectiveHandShakeTimeout: Duration {
        handShakeTimeout < .zero ? Self.defaultHandShakeTimeout : handShakeTimeout
    }

    var limits: Connection.Limits {
        .init(
            maxFrameSize: maxFrameSize > 0 ? maxFrameSize : Self.defaultMaxFrameSize,
            maxMessageSize: maxMessageSize,
            keepAlive: pingInterval.map {
                // Clocks do not reach further than some centuries.
                .init(interval: min($0, Self.longestWait), limit: pongTimeout.map { min($0, Self.longestWait) })
            })
    }

    private static let longestWait = Duration.seconds(10 * 365 * 24 * 3600)
}
