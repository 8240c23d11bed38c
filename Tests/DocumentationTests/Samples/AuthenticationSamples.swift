// What Authenticating.md shows.

// sample: custom-scheme
import HTTPTypes
import LWSWebSocket
// sample end
import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

extension Samples {
    @Suite("Authentication")
    struct Authentication {
        /// The value of the Authorization field that a server gets from a client with this configuration.
        private func sent(_ configuration: ClientConfiguration) throws -> String? {
            let server = try EchoServer()
            let client = try WebSocketClient(server.url("/headers"), configuration: configuration)
            let fields = try client.readMessage(as: [[String]].self)
            return fields.first { $0[0].lowercased() == "authorization" }?[1]
        }

        @Test("a name and a password")
        func basic() throws {
            let password = "secret"
            var configuration = ClientConfiguration()
            // sample: basic
            configuration.auth = .credentials(username: "alice", password: password)
            // sample end
            #expect(try sent(configuration) == "Basic YWxpY2U6c2VjcmV0")
        }

        @Test("a token that one has")
        func bearer() throws {
            let token = "abc"
            var configuration = ClientConfiguration()
            // sample: bearer
            configuration.auth = .bearer(token: token)
            // sample end
            #expect(try sent(configuration) == "Bearer abc")
        }

        @Test("tokens of one's own")
        func tokens() throws {
            let folder = try TemporaryFolder("lws-samples")
            let key = folder.file("signing.key")
            try OpenSSLCommand.run([
                "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key,
            ])
            var configuration = ClientConfiguration()
            // sample: jwt
            // where .file(key) is shown as "signing.key"
            var issuer = JWTIssuer(signatureConfig: .key(.es256, .pem(keyFile: .file(key))))
            issuer.issuer = "feed-reader"
            issuer.username = "alice"
            issuer.audience = ["feed.example.com"]
            issuer.expTime = .seconds(60)
            issuer.customClaims = ["roles": ["read"]]
            configuration.auth = .jwt(issuer)  // a token of its own for each handshake
            // sample end
            #expect(try sent(configuration)?.hasPrefix("Bearer ey") == true)
        }

        @Test("tokens of an authorization server")
        func authorizationServer() throws {
            let authority = try CertificateAuthority.shared
            let server = try AuthorizationServer(tls: try authority.server(.good))
            defer { server.stop() }
            let url = server.socketURL(host: "127.0.0.1")
            let (id, secret) = AuthorizationServer.client
            var tls = ClientSecureSocket()
            tls.cert = .pem(.file(authority.rootFile))
            // sample: oauth2
            // where server.tokenURL(host: "127.0.0.1") is shown as "https://auth.example.com/token"
            // where clientId: id is shown as clientId: "feed-reader"
            var grant = OAuth2Grant.clientCredentials(
                tokenUrl: server.tokenURL(host: "127.0.0.1"), clientId: id, clientSecret: secret)
            grant.scopes = ["read"]
            grant.clockSkew = .seconds(5)
            grant.clientConfig.secureSocket = tls  // of the token endpoint, where it needs any
            let tokens = OAuth2TokenProvider(grant)  // keeps a token until it expires, for all clients that share it

            var configuration = ClientConfiguration()
            configuration.auth = .oauth2(tokens)
            // sample end
            configuration.secureSocket = tls
            // sample: oauth2-shared
            let prices = try WebSocketClient(url, configuration: configuration)  // asks for a token
            let orders = try WebSocketClient(url, configuration: configuration)  // has it
            // sample end
            #expect(prices.isOpen && orders.isOpen)
            #expect(try server.requests().count == 1)
        }

        // sample: custom-scheme
        /// Sends a key that is made anew when the server says that it is out of date.
        final class RotatingKey: HandshakeAuthenticator {
            private let vault: Vault

            init(_ vault: Vault) { self.vault = vault }

            func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
                guard let key = vault.key else { throw AuthenticationError("the vault is locked") }
                return [.authorization: "Vault \(key)"]
            }

            func wasRefused(_ refusal: AuthenticationRefusal) -> Bool {
                vault.rotate()
                return true  // worth another try, once
            }
        }
        // sample end

        /// Where the keys of the sample come from.
        final class Vault: Sendable {
            private let number = Locked<Int?>(nil)

            init(_ first: Int?) { number.withLock { $0 = first } }

            var key: String? { number.withLock { $0 }.map { "key-\($0)" } }
            func rotate() { number.withLock { $0 = ($0 ?? 0) + 1 } }
        }

        @Test("a scheme of one's own")
        func ownScheme() throws {
            let vault = Vault(1)
            var configuration = ClientConfiguration()
            // sample: custom-scheme
            configuration.auth = .custom(RotatingKey(vault))
            // sample end
            #expect(try sent(configuration) == "Vault key-1")

            let server = try EchoServer()
            let refusal = #expect(throws: WebSocketError.self) {
                try WebSocketClient(server.url("/refuse/401"), configuration: configuration)
            }
            #expect(refusal?.code == .invalidHandshake && vault.key != "key-1")

            configuration.auth = .custom(RotatingKey(Vault(nil)))
            let locked = #expect(throws: WebSocketError.self) {
                try WebSocketClient(server.url(), configuration: configuration)
            }
            #expect(locked?.code == .auth)
        }
    }
}
