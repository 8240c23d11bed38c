// Who the client is, in the kinds that a client knows by itself.

/// How a client authenticates itself in the handshake (contract: "auth").
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
