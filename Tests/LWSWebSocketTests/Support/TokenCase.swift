// A client of the authorization server, by each of the grants.

import LWSServiceLoop
import Logging
import TestSupport

@testable import LWSWebSocket

enum GrantKind: String, Sendable, CaseIterable {
    case clientCredentials, password, refreshToken, jwtBearer

    /// How the endpoint calls it.
    var type: String {
        switch self {
        case .clientCredentials: "client_credentials"
        case .password: "password"
        case .refreshToken: "refresh_token"
        case .jwtBearer: "urn:ietf:params:oauth:grant-type:jwt-bearer"
        }
    }

    /// How an expired token is renewed.
    var renewal: String { self == .password ? "refresh_token" : type }

    private static let secret = Array("a secret of thirty-two bytes, at least".utf8)

    /// A grant that the server takes.
    func grant(_ server: AuthorizationServer, _ path: String = "/token") throws -> OAuth2Grant {
        let (id, secret) = AuthorizationServer.client
        let (user, password) = AuthorizationServer.user
        let url = server.tokenURL(path, host: "127.0.0.1")
        var grant: OAuth2Grant
        switch self {
        case .clientCredentials: grant = .clientCredentials(tokenUrl: url, clientId: id, clientSecret: secret)
        case .password:
            grant = .password(tokenUrl: url, username: user, password: password, clientId: id, clientSecret: secret)
            grant.refreshConfig = .inferred
        case .refreshToken:
            grant = .refreshToken(
                refreshUrl: url, refreshToken: try Self.refreshToken(server), clientId: id, clientSecret: secret)
        case .jwtBearer:
            try server.registerKey(secret: Self.secret, algorithm: "HS256")
            var issuer = JWTIssuer(signatureConfig: .hmac(.hs256, secret: Self.secret))
            issuer.issuer = id
            issuer.username = user
            issuer.audience = [AuthorizationServer.issuer]
            issuer.expTime = .seconds(3600)
            grant = .jwtBearer(
                tokenUrl: url, assertion: try JWTAuthenticator(issuer).token(), clientId: id, clientSecret: secret)
        }
        grant.clientConfig = try Self.trusting()
        return grant
    }

    static func trusting() throws -> OAuth2ClientConfiguration {
        var client = OAuth2ClientConfiguration()
        client.secureSocket = try ClientConfiguration.secure().secureSocket
        return client
    }

    /// A refresh token that somebody has got before.
    private static func refreshToken(_ server: AuthorizationServer) throws -> String {
        let provider = OAuth2TokenProvider(try GrantKind.password.grant(server))
        try TokenCase.connect(server, provider).close()
        try server.clear()
        return provider.refreshToken ?? ""
    }
}

/// A provider with a clock that the test sets.
struct TokenCase {
    let server: AuthorizationServer
    let provider: OAuth2TokenProvider
    private let skipped: Locked<Duration>

    init(_ server: AuthorizationServer, _ grant: OAuth2Grant) {
        let skipped = Locked(Duration.zero)
        self.server = server
        self.skipped = skipped
        provider = OAuth2TokenProvider(grant) { .now.advanced(by: skipped.withLock { $0 }) }
    }

    func skip(_ time: Duration) { skipped.withLock { $0 += time } }

    func connect(_ path: String = "/echo") throws -> WebSocketClient {
        try Self.connect(server, provider, path)
    }

    static func configuration(_ provider: OAuth2TokenProvider) throws -> ClientConfiguration {
        var configuration = try ClientConfiguration.secure()
        configuration.auth = .oauth2(provider)
        configuration.handShakeTimeout = Timing.ages
        configuration.readTimeout = Timing.ages
        return configuration
    }

    static func connect(
        _ server: AuthorizationServer, _ provider: OAuth2TokenProvider, _ path: String = "/echo"
    ) throws -> WebSocketClient {
        try WebSocketClient(server.socketURL(path, host: "127.0.0.1"), configuration: configuration(provider))
    }

    /// The types of the grants that the endpoint has been asked for.
    func grants() throws -> [String] { try server.requests().flatMap { $0.formValues("grant_type") } }
}
