// How a token is got from an authorization server.

/// One of the four grants of OAuth 2.0 (contract: "auth"; RFC 6749, section 4, and RFC 7523, section 2.1).
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
    /// the wire as they are. Of the refresh token grant this is the contract's `refreshUrl`.
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
