// How a token endpoint is talked to.

public import HTTPTypes

/// The configuration of the client that asks for tokens. It takes the loop, the proxy, the local address and the time
/// limit of the WebSocket client that wants one.
public struct OAuth2ClientConfiguration: Sendable {
    /// Fields of the request, besides those that it has by itself.
    public var customHeaders: HTTPFields = [:]
    /// What the form ends with, as it is: `name=value&name=value`, encoded.
    public var customPayload: String?
    /// TLS with the endpoint. `nil`: as ``ClientSecureSocket/init()`` says, whatever the WebSocket client has.
    public var secureSocket: ClientSecureSocket?
    /// How the request itself is authenticated, where the endpoint is behind something that asks. It cannot be an
    /// Authorization field where the client's credentials are one: then ``OAuth2CredentialBearer/postBody`` is needed.
    public var auth: ClientAuthentication?
    /// How long a request may take, within ``ClientConfiguration/handShakeTimeout``. `nil` or negative: no limit of its
    /// own.
    public var timeout: Duration?

    /// The defaults of the contract.
    public init() {}
}

extension OAuth2ClientConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Nothing of what is inside, for it may be secret.
    public var description: String { "OAuth2ClientConfiguration" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
