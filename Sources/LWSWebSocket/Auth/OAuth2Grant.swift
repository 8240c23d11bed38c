// How a token is got from an authorization server.

public import HTTPTypes

/// One of the four grants of OAuth 2.0 (RFC 6749, section 4, and RFC 7523, section 2.1).
///
/// ```swift
/// var grant = OAuth2Grant.clientCredentials(
///     tokenUrl: "https://auth.example.com/token", clientId: "feed", clientSecret: secret)
/// grant.scopes = ["read"]
/// configuration.auth = .oauth2(grant)
/// ```
public struct OAuth2Grant: Sendable {
    enum Kind: Sendable {
        case clientCredentials
        case password(username: String, password: String)
        case refreshToken(String)
        case jwtBearer(assertion: String)
    }

    let kind: Kind

    /// Where tokens come from: an `https:` URL. `http:` works as well, with a warning in the log, for the secrets go over
    /// the wire as they are. For the refresh token grant it is where tokens are refreshed (`refreshUrl` in JSON).
    public var tokenUrl: String
    /// Who asks. The password and JWT bearer grants can do without.
    public var clientId: String?
    /// `nil`: the client has none, and only tells its name (RFC 6749, section 3.2.1).
    public var clientSecret: String?
    /// What the token is to be good for. Empty: what the server gives.
    public var scopes: [String] = []
    /// How long a token is good for whose answer does not say it.
    public var defaultTokenExpTime: Duration = .seconds(3600)
    /// How much earlier than it expires a token is given up.
    public var clockSkew: Duration = .zero
    /// Further parameters of the form.
    public var optionalParams: [String: String] = [:]
    /// Where ``clientId`` and ``clientSecret`` go.
    public var credentialBearer = OAuth2CredentialBearer.header
    /// How the endpoint is talked to.
    public var clientConfig = OAuth2ClientConfiguration()
    /// Of the password grant: whether a token is renewed with the refresh token that came with it, and where. Where that
    /// is refused, and where this is `nil`, the password is used again.
    public var refreshConfig: OAuth2RefreshConfig?

    private init(_ kind: Kind, _ tokenUrl: String, _ clientId: String?, _ clientSecret: String?) {
        self.kind = kind
        self.tokenUrl = tokenUrl
        self.clientId = clientId
        self.clientSecret = clientSecret
    }

    /// Client credentials (RFC 6749, section 4.4).
    public static func clientCredentials(tokenUrl: String, clientId: String, clientSecret: String) -> OAuth2Grant {
        OAuth2Grant(.clientCredentials, tokenUrl, clientId, clientSecret)
    }

    /// The password of a user (RFC 6749, section 4.3).
    public static func password(
        tokenUrl: String, username: String, password: String, clientId: String? = nil, clientSecret: String? = nil
    ) -> OAuth2Grant {
        OAuth2Grant(.password(username: username, password: password), tokenUrl, clientId, clientSecret)
    }

    /// A refresh token from elsewhere (RFC 6749, section 6). Where the server gives another in its place, that is used
    /// from then on: see ``OAuth2TokenProvider/refreshToken``.
    public static func refreshToken(
        refreshUrl: String, refreshToken: String, clientId: String? = nil, clientSecret: String? = nil
    ) -> OAuth2Grant {
        OAuth2Grant(.refreshToken(refreshToken), refreshUrl, clientId, clientSecret)
    }

    /// An assertion, a JWT that somebody whom the server trusts has signed (RFC 7523, section 2.1).
    public static func jwtBearer(
        tokenUrl: String, assertion: String, clientId: String? = nil, clientSecret: String? = nil
    ) -> OAuth2Grant {
        OAuth2Grant(.jwtBearer(assertion: assertion), tokenUrl, clientId, clientSecret)
    }
}

/// Where a client's own credentials go in a request for a token (RFC 6749, section 2.3.1).
public enum OAuth2CredentialBearer: String, Sendable, Hashable {
    /// Into an Authorization field.
    case header = "AUTH_HEADER_BEARER"
    /// Into the form.
    case postBody = "POST_BODY_BEARER"
}

/// How an expired token is renewed with its refresh token.
public struct OAuth2RefreshConfig: Sendable {
    /// `nil`: as the token was got.
    let refresh: Refresh?

    struct Refresh: Sendable {
        var refreshUrl: String
        var scopes: [String]
        var optionalParams: [String: String]
        var credentialBearer: OAuth2CredentialBearer
        var clientConfig: OAuth2ClientConfiguration
    }

    /// At the token's URL, with its scopes, parameters and client.
    public static let inferred = OAuth2RefreshConfig(refresh: nil)

    /// At another URL, or in another way.
    public static func configured(
        refreshUrl: String, scopes: [String] = [], optionalParams: [String: String] = [:],
        credentialBearer: OAuth2CredentialBearer = .header,
        clientConfig: OAuth2ClientConfiguration = OAuth2ClientConfiguration()
    ) -> OAuth2RefreshConfig {
        OAuth2RefreshConfig(
            refresh: Refresh(
                refreshUrl: refreshUrl, scopes: scopes, optionalParams: optionalParams,
                credentialBearer: credentialBearer, clientConfig: clientConfig))
    }
}

extension OAuth2Grant: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind alone.
    public var description: String {
        switch kind {
        case .clientCredentials: "client credentials"
        case .password: "password"
        case .refreshToken: "refresh token"
        case .jwtBearer: "JWT bearer"
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension OAuth2RefreshConfig: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Which of the two.
    public var description: String { refresh == nil ? "inferred" : "configured" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: - How a token endpoint is talked to

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

    /// No custom fields, the system's roots, no time limit of its own.
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

// MARK: - What can be wrong with a grant, found when a client is made

extension OAuth2Grant {
    /// - Throws: `invalidArgument` beginning with the field.
    func validate(_ field: String) throws(WebSocketError) {
        func invalid(_ member: String, _ what: String) -> WebSocketError {
            WebSocketError(.invalidArgument, "\(field).\(member): \(what)")
        }
        let urlField = if case .refreshToken = kind { "refreshUrl" } else { "tokenUrl" }
        _ = try TokenEndpoint.url(tokenUrl, "\(field).\(urlField)")
        if let clientId, clientId.isEmpty { throw invalid("clientId", "it is empty") }
        if clientSecret != nil, clientId == nil { throw invalid("clientSecret", "there is no clientId to it") }
        switch kind {
        case .clientCredentials: break
        case .password(let username, _):
            guard !username.isEmpty else { throw invalid("username", "it is empty") }
        case .refreshToken(let token):
            guard !token.isEmpty else { throw invalid("refreshToken", "it is empty") }
        case .jwtBearer(let assertion):
            guard !assertion.isEmpty else { throw invalid("assertion", "it is empty") }
        }
        if refreshConfig != nil {
            guard case .password = kind else { throw invalid("refreshConfig", "only the password grant has one") }
        }
        guard defaultTokenExpTime > .zero else { throw invalid("defaultTokenExpTime", "it is not more than zero") }
        guard clockSkew >= .zero else { throw invalid("clockSkew", "it is negative") }
        try Self.validate(scopes, optionalParams, field)
        let sendsBasic = clientId != nil && clientSecret != nil
        try clientConfig.validate(
            "\(field).clientConfig", hasAuthorization: sendsBasic && credentialBearer == .header)
        guard let refresh = refreshConfig?.refresh else { return }
        let refreshField = "\(field).refreshConfig"
        _ = try TokenEndpoint.url(refresh.refreshUrl, "\(refreshField).refreshUrl")
        try Self.validate(refresh.scopes, refresh.optionalParams, refreshField)
        try refresh.clientConfig.validate(
            "\(refreshField).clientConfig", hasAuthorization: sendsBasic && refresh.credentialBearer == .header)
    }

    private static func validate(
        _ scopes: [String], _ params: [String: String], _ field: String
    ) throws(WebSocketError) {
        for (index, scope) in scopes.enumerated() {
            // RFC 6749, section 3.3.
            guard BearerToken.isValid(scope), !scope.contains("\""), !scope.contains("\\") else {
                throw WebSocketError(
                    .invalidArgument, "\(field).scopes: number \(index + 1) has a character that no scope has")
            }
        }
        let own: Set<String> = [
            "grant_type", "client_id", "client_secret", "username", "password", "refresh_token", "assertion", "scope",
        ]
        for name in params.keys.sorted() where own.contains(name) || name.isEmpty {
            throw WebSocketError(
                .invalidArgument, "\(field).optionalParams: \(name.debugDescription) is what the grant itself sets")
        }
    }
}

extension OAuth2ClientConfiguration {
    fileprivate func validate(_ field: String, hasAuthorization: Bool) throws(WebSocketError) {
        try secureSocket?.validate()
        try auth?.validate("\(field).auth")
        for header in customHeaders {
            try header.name.checkMayBeSet("\(field).customHeaders")
            guard !["host", "content-type"].contains(header.name.canonicalName) else {
                throw WebSocketError(
                    .invalidArgument, "\(field).customHeaders: \(header.name.rawName) belongs to the request itself")
            }
        }
        if let customPayload, customPayload.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) {
            throw WebSocketError(
                .invalidArgument, "\(field).customPayload: it has a character that has to be encoded in a form")
        }
        let others = (auth?.isBuiltIn == true ? 1 : 0) + (customHeaders[.authorization] == nil ? 0 : 1)
        guard others + (hasAuthorization ? 1 : 0) <= 1 else {
            throw WebSocketError(
                .invalidArgument,
                "\(field): there is more than one Authorization for the request; the client's own credentials can go "
                    + "into the form (credentialBearer)")
        }
        if let timeout, timeout == .zero { throw WebSocketError(.invalidArgument, "\(field).timeout: it is zero") }
    }
}
