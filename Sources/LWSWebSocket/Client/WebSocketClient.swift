// Client/: the client, as the application sees it.
//
// Holds: WebSocketClient with all its calls, blocking and async, an extension for each kind; how values become messages and
// messages values (MessageBinding). Its public comments are the reference. Nothing here waits or locks by itself.
// Used by: applications.
// Uses: Addressing, Configuration, Connection, Errors, Events, JSON, Loop, Messages, Reconnecting, TLS, Utilities, Validation;
// HTTPTypes, LWSServiceLoop.

public import HTTPTypes
internal import LWSServiceLoop

/// A synchronous WebSocket client (RFC 6455) on libwebsockets.
///
/// Every operation blocks the calling thread until it is done, and every operation may be called from any thread at
/// any time: reads from several threads are served in the order in which they came, each message to one of them;
/// the frames of several writes never mix; `close` wakes whoever is blocked.
///
/// ```swift
/// let client = try WebSocketClient("ws://localhost:9001/echo")
/// try client.writeTextMessage("hello")
/// print(try client.readTextMessage())
/// try client.close()
/// ```
///
/// Dropping the last reference to an open client closes it with 1001, without blocking.
///
/// A process that forks keeps its connections; what the child does with its copies of clients, or drops them, changes
/// nothing for them. In the child every blocking call throws `invalidArgument` at once, also of a new client, for a fork
/// copies none of the threads that serve connections; it starts a program (`exec`), which inherits no descriptor of this
/// library, or was forked before the first client connected. A lock that another thread of the parent held at the moment of
/// the fork stays locked in the child: what does not block, such as ``httpResponse``, might wait for it.
public final class WebSocketClient: Sendable {
    let reconnector: Reconnector
    var connection: Connection { reconnector.connection }
    var configuration: ClientConfiguration { reconnector.configuration }

    /// A name for this client that no other has. It stands in each line of its log.
    public var connectionID: String { reconnector.identifier }

    /// Connects to `url` and returns when the connection is open.
    ///
    /// Blocks for at most ``ClientConfiguration/handShakeTimeout``. Where the URL's host has several addresses they
    /// are tried one after the other within that time, and so are redirects followed
    /// (``ClientConfiguration/followRedirects``). With ``ClientConfiguration/retryConfig`` it blocks for as many
    /// attempts, and the waits between them, as that allows.
    /// - Parameters:
    ///   - url: `ws://host[:port][/path][?query]`, the same with `wss:` for TLS, or `ws+unix:///path/of/socket[:/path][?query]` for a server that
    ///     listens on a socket of the file system. What may not stand in its path and query is
    ///     percent-encoded; escapes that are there stay as they are, and blanks around it are cut off.
    ///   - configuration: see ``ClientConfiguration``.
    ///   - loop: the loop that serves the connection.
    /// - Throws: `invalidArgument` before anything is sent; `connection` where the server cannot be reached; `ssl`;
    ///   `invalidHandshake` with its answer where it refuses; `handshakeTimedOut`.
    public convenience init(
        _ url: String, configuration: ClientConfiguration = ClientConfiguration(), loop: WebSocketLoop = .shared
    ) throws(WebSocketError) {
        try self.init(unconnected: url, configuration: configuration, loop: loop)
        try connect()
    }

    /// Checks the URL and the configuration but does not connect yet; see ``connect()-ljho``. This form lets another
    /// thread ``close(statusCode:reason:timeout:)-1lu30`` the client while it connects.
    /// - Throws: `invalidArgument`.
    public convenience init(
        unconnected url: String, configuration: ClientConfiguration = ClientConfiguration(),
        loop: WebSocketLoop = .shared
    ) throws(WebSocketError) {
        try self.init(url, configuration, loop, SystemNameResolver.shared)
    }

    init(
        _ url: String, _ configuration: ClientConfiguration, _ loop: WebSocketLoop, _ resolver: any NameResolver
    ) throws(WebSocketError) {
        let parsed = try WebSocketURL(url)
        try configuration.validate()
        reconnector = Reconnector(to: try Destination(to: parsed, configuration), configuration, loop, resolver)
    }

    deinit { reconnector.abandon() }

    /// Connects a client that was made with ``init(unconnected:configuration:loop:)``, once. Blocks and throws as
    /// ``init(_:configuration:loop:)`` does, and throws `connectionClosure` where the client is closed meanwhile.
    public func connect() throws(WebSocketError) {
        try reconnector.connect()
    }

    /// Whether the connection is open: neither side has begun to close it, and it is not known to be lost. False
    /// while a lost one is being made again, and in a forked child.
    public var isOpen: Bool { !ForkedProcess.isCurrent && connection.phase == .open }

    /// Whether the connection is over TLS.
    public var isSecure: Bool { connection.url.isSecure }

    /// The server's answer to the handshake: its status and all its header fields, of up to 32,768 bytes. Interim answers
    /// before it (RFC 9110, section 15.2) are passed over.
    /// `nil` before the connection is open, and while a lost one is being made again; a refused handshake's answer is
    /// on the error.
    public var httpResponse: HTTPResponse? { connection.response }

    /// The sub-protocol that the server has chosen of ``ClientConfiguration/subProtocols``; `nil` where none was
    /// offered, before the connection is open, and while a lost one is being made again.
    public var negotiatedSubProtocol: String? { connection.subProtocol }
}

extension WebSocketClient {
    /// What TLS has negotiated. `nil` without TLS, before the connection is open, and while a lost one is being made
    /// again.
    public var tlsInfo: TLSInfo? { connection.tlsInfo }
}

/// What `dump` and a debugger's views show: nothing that may be secret.
extension WebSocketClient: CustomReflectable {
    /// The identifier and whether the connection is open, nothing else.
    public var customMirror: Mirror {
        Mirror(self, children: ["connectionID": connectionID, "isOpen": isOpen], displayStyle: .class)
    }
}
