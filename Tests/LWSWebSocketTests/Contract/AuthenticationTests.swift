// Who the client is, in the kinds without an authorization server, and what they have in common.

import Foundation
import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Authentication in the handshake")
struct AuthenticationTests {
    private func server() throws -> AuthorizationServer {
        try AuthorizationServer(tls: try CertificateAuthority.shared.server(.good))
    }

    private func connect(
        _ server: AuthorizationServer, _ path: String, _ auth: ClientAuthentication
    ) throws -> WebSocketClient {
        var configuration = try ClientConfiguration.secure()
        configuration.auth = auth
        configuration.handShakeTimeout = Timing.ages
        return try WebSocketClient(server.socketURL(path, host: "127.0.0.1"), configuration: configuration)
    }

    @Test("sends a name with its password, a token as it is, and a token of its own for each handshake")
    func kinds() throws {
        let server = try server()
        defer { server.stop() }
        let (user, password) = AuthorizationServer.user
        let right = try connect(server, "/basic", .credentials(username: user, password: password))
        try right.exchange()
        try right.close()
        let wrong = failure { try connect(server, "/basic", .credentials(username: user, password: "wrong")) }
        #expect(wrong?.code == .invalidHandshake && wrong?.httpResponse?.status.code == 401)

        let secret = Array("a secret of thirty-two bytes, at least".utf8)
        try server.registerKey(secret: secret, algorithm: "HS256")
        var issuer = JWTIssuer(signatureConfig: .hmac(.hs256, secret: secret))
        issuer.username = user
        issuer.audience = [AuthorizationServer.audience]
        issuer.customClaims = ["role": "admin"]
        let signed = try connect(server, "/jwt-claims", .jwt(issuer))
        let claims = try JSONDecoder().decode(JSONValue.self, from: Data(try signed.readTextMessage().utf8))
        #expect(claims["sub"] == "alice" && claims["role"] == "admin")
        try signed.close()
        let token = try JWTAuthenticator(issuer).token()
        try connect(server, "/jwt", .bearer(token: token)).close()
    }

    /// Counts, and answers a challenge.
    private final class Counting: HandshakeAuthenticator {
        let asked = Locked<[String]>([])
        let refused = Locked<[Int]>([])

        func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
            let challenge = request.refusal?.headerFields[.wwwAuthenticate]
            asked.withLock { $0.append("\(request.request.scheme ?? "") \(request.request.path ?? "")") }
            return challenge == nil ? [:] : [.authorization: "Basic YWxpY2U6Y29ycmVjdCBob3JzZSAmIGJhdHRlcnk="]
        }

        func wasRefused(_ refusal: AuthenticationRefusal) -> Bool {
            refused.withLock { $0.append(refusal.response.status.code) }
            return true
        }
    }

    @Test("asks a scheme of one's own, and again after a 401")
    func custom() throws {
        let server = try server()
        defer { server.stop() }
        let own = Counting()
        try connect(server, "/basic", .custom(own)).close()
        #expect(own.asked.withLock { $0 } == ["wss /basic", "wss /basic"])
        #expect(own.refused.withLock { $0 } == [401])
    }

    private struct Failing: HandshakeAuthenticator {
        func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
            throw AuthenticationError("the vault is sealed", isTransient: true)
        }
    }

    private struct Misbehaving: HandshakeAuthenticator {
        let fields: HTTPFields
        func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields { fields }
    }

    @Test("ends in auth where there are no credentials, or some that cannot be sent")
    func noCredentials() throws {
        let echo = try EchoServer(EchoServer.Configuration(port: 0))
        defer { echo.stop() }
        func error(_ auth: ClientAuthentication) -> WebSocketError? {
            var configuration = ClientConfiguration()
            configuration.auth = auth
            return failure { try WebSocketClient("ws://127.0.0.1:\(echo.port)/echo", configuration: configuration) }
        }
        let sealed = error(.custom(Failing()))
        #expect(sealed?.code == .auth && sealed?.isRetriable == true)
        #expect(sealed?.description == "There are no credentials for 127.0.0.1: the vault is sealed")
        for fields: HTTPFields in [[.upgrade: "x"], [.authorization: String(repeating: "x", count: 20000)]] {
            #expect(error(.custom(Misbehaving(fields: fields)))?.code == .auth)
        }
    }

    private static let json: [(String, String)] = [
        (#"{"username": "u", "password": "p"}"#, "FixedCredentials"),
        (#"{"token": "t"}"#, "FixedCredentials"),
        (
            #"{"issuer": "i", "signatureConfig": {"algorithm": "HS256", "config": "s"}}"#, "JWTAuthenticator"
        ),
        (
            #"{"tokenUrl": "https://a/t", "clientId": "c", "clientSecret": "s", "scopes": ["a"], "clockSkew": 1}"#,
            "OAuth2TokenProvider"
        ),
        (
            #"{"tokenUrl": "https://a/t", "username": "u", "password": "p", "refreshConfig": "INFER_REFRESH_CONFIG"}"#,
            "OAuth2TokenProvider"
        ),
        (
            #"{"refreshUrl": "https://a/t", "refreshToken": "r", "clientId": "c", "clientSecret": "s"}"#,
            "OAuth2TokenProvider"
        ),
        (
            #"{"tokenUrl": "https://a/t", "assertion": "a", "credentialBearer": "POST_BODY_BEARER", "clientConfig": {"timeout": 1, "customPayload": "a=b", "customHeaders": {"X": "1"}, "auth": {"token": "t"}}}"#,
            "OAuth2TokenProvider"
        ),
    ]

    @Test("is read from JSON in every kind", arguments: json)
    func fromJSON(_ auth: String, _ kind: String) throws {
        let configuration = try ClientConfiguration(json: Array(#"{"auth": \#(auth)}"#.utf8))
        let description = try #require(configuration.auth).description
        #expect(description.hasPrefix(kind))
    }

    private static let mistakes: [(String, String)] = [
        (#"{"username": "u:v", "password": "hunter2"}"#, "auth.username"),
        (#"{"token": "a b"}"#, "auth.token"),
        (#"{"username": "u"}"#, "configuration.auth"),
        (#"{"tokenUrl": "ftp://a", "clientId": "c", "clientSecret": "hunter2"}"#, "auth.tokenUrl"),
        (#"{"tokenUrl": "https://a", "clientId": "c"}"#, "configuration.auth"),
        (#"{"tokenUrl": "https://a", "clientId": "c", "clientSecret": "hunter2", "scope": []}"#, "auth.scope"),
        (
            #"{"tokenUrl": "https://a", "clientId": "c", "clientSecret": "hunter2", "optionalParams": {"scope": "x"}}"#,
            "auth.optionalParams"
        ),
        (
            #"{"tokenUrl": "https://a", "clientId": "c", "clientSecret": "s", "clientConfig": {"auth": {"token": "hunter2"}}}"#,
            "auth.clientConfig"
        ),
        (#"{"refreshUrl": "https://a"}"#, "configuration.auth"),
    ]

    @Test("is refused by name in JSON, without its secrets", arguments: mistakes)
    func mistaken(_ auth: String, _ field: String) throws {
        let error = try #require(
            failure { try ClientConfiguration(json: Array(#"{"auth": \#(auth)}"#.utf8)) })
        #expect(error.code == .invalidArgument && error.description.contains(field), "\(error)")
        #expect(!error.description.contains("hunter2"))
    }

    @Test("cannot stand beside an Authorization of the application's")
    func twoOfThem() throws {
        var configuration = ClientConfiguration()
        configuration.auth = .bearer(token: "t")
        configuration.customHeaders[.authorization] = "Basic x"
        let error = failure { try WebSocketClient(unconnected: "ws://localhost", configuration: configuration) }
        #expect(error?.code == .invalidArgument)
    }
}
