// Auth/: who the client is.
//
// Holds: the public kinds of credentials with their settings, and what makes header fields of them: names and tokens that stay
// as they are, JSON Web Tokens, OAuth 2.0 with the request for a token (HTTPCall). What is secret shows in no description and
// no error.
// Used by: Reconnecting, Configuration.
// Uses: Addressing, Connection, Errors, Events, HTTP, JSON, Loop, OpenSSL, Session, TLS, Utilities; HTTPTypes, Logging,
// LWSServiceLoop.

public import HTTPTypes
internal import LWSServiceLoop
internal import Logging

/// A scheme of authentication for the handshake (RFC 9110, section 11): request in, header fields out.
///
/// The kinds that ``ClientAuthentication`` offers are made in this way, and so can be one's own:
///
/// ```swift
/// struct SignedByHour: HandshakeAuthenticator {
///     func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
///         [.authorization: "Hour \(sign(request.request.path, Date.now))"]
///     }
/// }
///
/// configuration.auth = .custom(SignedByHour())
/// ```
///
/// One object may serve many clients at once: both calls come on the threads that connect, those of callers and those that
/// make lost connections again. They may block, within the request's ``AuthenticationRequest/timeLimit``.
public protocol HandshakeAuthenticator: Sendable {
    /// The fields to send with this request, before each attempt to connect. They take the place of fields of the same
    /// name in ``ClientConfiguration/customHeaders``; a Cookie goes before the cookies.
    /// - Throws: where there are no credentials; the client's call then throws ``WebSocketError/Code/auth``.
    func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields

    /// The server has answered 401 to a request with these fields. Returns whether it is worth another try, which follows
    /// at once, once in each attempt to connect. Not called where an answer came from another origin, after a redirect.
    func wasRefused(_ refusal: AuthenticationRefusal) -> Bool
}

extension HandshakeAuthenticator {
    /// There is nothing else to try.
    public func wasRefused(_ refusal: AuthenticationRefusal) -> Bool { false }
}

/// A request that needs credentials: the upgrade of a handshake, or one for a token.
public struct AuthenticationRequest: Sendable {
    /// Method, scheme ("ws", "wss", or "https" for a token), authority, path with query, and the fields that the
    /// application sends.
    public let request: HTTPRequest
    /// What is left of ``ClientConfiguration/handShakeTimeout``; `nil`: no limit.
    public var timeLimit: Duration? { surroundings.deadline.remaining }
    /// The 401 that came before, on the second try.
    public let refusal: HTTPResponse?
    /// What the request is made in.
    let surroundings: AuthenticationSurroundings

    init(_ request: HTTPRequest, after refusal: HTTPResponse? = nil, _ surroundings: AuthenticationSurroundings) {
        self.request = request
        self.refusal = refusal
        self.surroundings = surroundings
    }
}

/// A 401 (RFC 9110, section 15.5.2).
public struct AuthenticationRefusal: Sendable {
    /// The server's answer. `WWW-Authenticate` tells which schemes it knows, and may tell what is wrong.
    public let response: HTTPResponse
    /// What ``HandshakeAuthenticator/headerFields(for:)`` had returned.
    public let sent: HTTPFields

    init(_ response: HTTPResponse, sent: HTTPFields) {
        self.response = response
        self.sent = sent
    }
}

/// Why there are no credentials. Its text becomes the text of a ``WebSocketError/Code/auth``: it must not have a secret
/// in it.
public struct AuthenticationError: Error, Sendable, CustomStringConvertible {
    /// One sentence, without a full stop.
    public let description: String
    /// Whether it may go better next time, so that ``ClientConfiguration/retryConfig`` applies.
    public let isTransient: Bool
    /// What a library below has to say.
    let detail: String?

    /// An error in the scheme's own words.
    public init(_ description: String, isTransient: Bool = false) {
        self.init(description, isTransient: isTransient, detail: nil)
    }

    init(_ description: String, isTransient: Bool = false, detail: String?) {
        self.description = description
        self.isTransient = isTransient
        self.detail = detail
    }

    /// What went wrong below, in its own words.
    init(_ error: WebSocketError, _ prefix: String = "") {
        self.init("\(prefix)\(error)", isTransient: error.isRetriable, detail: error.libraryDetail)
    }
}

// MARK: - What a client lends those who authenticate it

/// The client on whose behalf a token is fetched: its loop, its ways to a server, its time.
struct AuthenticationSurroundings: Sendable {
    let proxy: Proxy?
    let localAddress: String?
    let log: ConnectionLog
    let loop: WebSocketLoop
    let resolver: any NameResolver
    let deadline: Deadline
    /// The client is closed: nobody waits any more.
    let cancellation: Cancellation
}
