// Who the client is: the kinds of credentials, and those that stay what they are.

internal import HTTPTypes

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// How a client authenticates itself in the handshake.
///
/// A value; copies of it, and clients made with them, share its tokens. The credentials go with the handshake to the
/// origin of the client's URL, never to another that a redirect leads to. Nothing of them shows in a `description`, in
/// an error or in the log.
///
/// Whatever keeps a credential from being had is ``WebSocketError/Code/auth``. A server that does not accept it answers
/// 401, which is ``WebSocketError/Code/invalidHandshake``.
public struct ClientAuthentication: Sendable {
    let authenticator: any HandshakeAuthenticator
    /// Checks what was given, when a client is made; errors begin with the field.
    let validate: @Sendable (_ field: String) throws(WebSocketError) -> Void

    init(
        _ authenticator: any HandshakeAuthenticator,
        validate: @escaping @Sendable (_ field: String) throws(WebSocketError) -> Void
    ) {
        self.authenticator = authenticator
        self.validate = validate
    }

    /// A scheme of one's own.
    public static func custom(_ authenticator: some HandshakeAuthenticator) -> ClientAuthentication {
        ClientAuthentication(authenticator) { (_) throws(WebSocketError) in }
    }

    /// Whether the credentials are an Authorization field for sure.
    var isBuiltIn: Bool { authenticator is any BuiltInAuthenticator }
}

/// Those that send an Authorization field and nothing else.
protocol BuiltInAuthenticator: HandshakeAuthenticator {}

extension ClientAuthentication: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind alone.
    public var description: String { "\(type(of: authenticator))" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: - Credentials that stay what they are: a name with its password, or a token

extension ClientAuthentication {
    /// Credentials: `Authorization: Basic` (RFC 7617), in UTF-8.
    /// - Parameters:
    ///   - username: not empty, without a colon and control characters; else the client throws
    ///     ``WebSocketError/Code/invalidArgument``.
    ///   - password: without control characters.
    public static func credentials(username: String, password: String) -> ClientAuthentication {
        let authenticator = FixedCredentials(basic: username, password)
        return ClientAuthentication(authenticator) { (field) throws(WebSocketError) in
            guard !username.isEmpty, !username.contains(":") else {
                throw WebSocketError(
                    .invalidArgument, "\(field).username: it is empty or has a colon (RFC 7617, section 2)")
            }
            for (name, text) in [("username", username), ("password", password)] {
                guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
                    throw WebSocketError(.invalidArgument, "\(field).\(name): it has a control character")
                }
            }
        }
    }

    /// A bearer token: `Authorization: Bearer` (RFC 6750, section 2.1).
    /// - Parameter token: printable ASCII without spaces; else the client throws
    ///   ``WebSocketError/Code/invalidArgument``.
    public static func bearer(token: String) -> ClientAuthentication {
        ClientAuthentication(FixedCredentials(bearer: token)) { (field) throws(WebSocketError) in
            guard BearerToken.isValid(token) else {
                throw WebSocketError(
                    .invalidArgument, "\(field).token: it is empty, or has a character that no token has")
            }
        }
    }
}

/// The same field every time.
struct FixedCredentials: BuiltInAuthenticator {
    private let value: String

    init(basic username: String, _ password: String) {
        value = "Basic \(Data("\(username):\(password)".utf8).base64EncodedString())"
    }

    init(bearer token: String) { value = "Bearer \(token)" }

    func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
        [.authorization: value]
    }
}

extension FixedCredentials: CustomStringConvertible, CustomReflectable {
    /// The kind alone.
    var description: String { "FixedCredentials" }

    /// Shows nothing of what is inside.
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

enum BearerToken {
    /// RFC 6750 allows less, but tokens are for those who make them to choose (RFC 6749, appendix A.12), and a space alone
    /// would be misunderstood.
    static func isValid(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
