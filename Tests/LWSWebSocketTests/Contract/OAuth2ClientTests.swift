// How a token endpoint is talked to: on which way, with whose authentication, and a token that a key file has signed.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A request for a token")
struct OAuth2ClientTests {
    private func withServer(_ body: (AuthorizationServer) throws -> Void) throws {
        let server = try AuthorizationServer(tls: try CertificateAuthority.shared.server(.good))
        defer { server.stop() }
        try body(server)
    }

    @Test("takes the client's proxy")
    func proxy() throws {
        try withServer { server in
            let tinyproxy = try TinyProxy()
            defer { tinyproxy.stop() }
            let provider = OAuth2TokenProvider(try GrantKind.clientCredentials.grant(server))
            var configuration = try TokenCase.configuration(provider)
            configuration.proxy = Proxy(host: "127.0.0.1", port: tinyproxy.port)
            let client = try WebSocketClient(server.socketURL(host: "127.0.0.1"), configuration: configuration)
            try client.exchange()
            try client.close()
            for port in [server.tokenPort, server.socketPort] {
                #expect(eventually { tinyproxy.output.contains("CONNECT 127.0.0.1:\(port)") })
            }
        }
    }

    @Test(
        "says who asks: the library with its version, unless the application says another, or nobody",
        arguments: [(nil, [UserAgent.library]), ("mine/2 (x)", ["mine/2 (x)"]), ("", [])])
    func userAgent(_ given: String?, _ values: [String]) throws {
        try withServer { server in
            var grant = try GrantKind.clientCredentials.grant(server)
            if let given { grant.clientConfig.customHeaders[.userAgent] = given }
            try TokenCase(server, grant).connect().close()
            let fields = try #require(try server.requests().first?.headerFields)
            #expect(fields.filter { $0.first?.lowercased() == "user-agent" }.compactMap(\.last) == values)
        }
    }

    @Test("is told apart where the proxy refuses it")
    func refusingProxy() throws {
        try withServer { server in
            let tinyproxy = try TinyProxy(connectPort: server.socketPort)
            defer { tinyproxy.stop() }
            let provider = OAuth2TokenProvider(try GrantKind.clientCredentials.grant(server))
            var configuration = try TokenCase.configuration(provider)
            configuration.proxy = Proxy(host: "127.0.0.1", port: tinyproxy.port)
            let url = server.socketURL(host: "127.0.0.1")
            let error = try #require(failure { try WebSocketClient(url, configuration: configuration) })
            #expect(error.code == .auth && error.description.contains("proxy"), "\(error)")
        }
    }

    @Test("has an authentication of its own, in every kind")
    func own() throws {
        try withServer { server in
            let (id, secret) = AuthorizationServer.client
            let (user, password) = AuthorizationServer.user
            var grant = OAuth2Grant.password(
                tokenUrl: server.tokenURL(host: "127.0.0.1"), username: user, password: password)
            grant.clientConfig = try GrantKind.trusting()
            grant.clientConfig.auth = .credentials(username: id, password: secret)
            try TokenCase(server, grant).connect().close()
            #expect(try server.requests().map(\.status) == [200])

            // A gateway before the endpoint; the endpoint itself does not look at what is for it.
            grant = try GrantKind.clientCredentials.grant(server)
            grant.credentialBearer = .postBody
            let gateway = OAuth2TokenProvider(try GrantKind.clientCredentials.grant(server))
            let secretOfIssuer = Array("a secret of thirty-two bytes, at least".utf8)
            for auth: ClientAuthentication in [
                .bearer(token: "gateway"), .jwt(JWTIssuer(signatureConfig: .hmac(.hs256, secret: secretOfIssuer))),
                .oauth2(gateway), .custom(Answering(value: "Digest x")),
            ] {
                try server.clear()
                grant.clientConfig.auth = auth
                try TokenCase(server, grant).connect().close()
                let last = try #require(try server.requests().last)
                #expect(last.headerValues("Authorization").count == 1 && last.status == 200, "\(last)")
            }
            #expect(gateway.refreshToken == nil)
        }
    }

    /// Has nothing to say before it has seen a challenge.
    private struct Answering: HandshakeAuthenticator {
        let value: String
        var onlyAfterRefusal = false

        func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
            onlyAfterRefusal && request.refusal == nil ? [:] : [.authorization: value]
        }

        func wasRefused(_ refusal: AuthenticationRefusal) -> Bool { true }
    }

    @Test("is made again, once, where its own authentication can answer a 401")
    func challenged() throws {
        try withServer { server in
            let (user, password) = AuthorizationServer.user
            var grant = OAuth2Grant.password(
                tokenUrl: server.tokenURL(host: "127.0.0.1"), username: user, password: password)
            grant.clientConfig = try GrantKind.trusting()
            grant.clientConfig.auth = .custom(
                Answering(value: "Basic c2VydmljZTpzM2NyM3Qtb2Ytc2VydmljZQ==", onlyAfterRefusal: true))
            try TokenCase(server, grant).connect().close()
            #expect(try server.requests().map(\.status) == [401, 200])
            try server.clear()
            grant.clientConfig.auth = .custom(Answering(value: "Basic d3Jvbmc6d3Jvbmc="))
            #expect(failure { try TokenCase(server, grant).connect() }?.code == .auth)
            #expect(try server.requests().map(\.status) == [401, 401])
        }
    }

    @Test("goes to a long URL, with a long form")
    func long() throws {
        try withServer { server in
            let long = String(repeating: "0123456789", count: 600)
            var grant = try GrantKind.clientCredentials.grant(server)
            grant.tokenUrl += "?tenant=\(long.prefix(2500))"
            grant.optionalParams["resource"] = long
            try TokenCase(server, grant).connect().close()
            #expect(try server.requests().last?.formValues("resource") == [long])
        }
    }

    @Test(
        "a token that a key file has signed opens the connection",
        arguments: [
            (TokenKeys.Kind.rsa, JWTSignatureConfig.KeyAlgorithm.rs256), (.rsa, .rs384), (.rsa, .rs512),
            (.p256, .es256),
            (.p384, .es384), (.ed25519, .edDSA),
        ])
    func signed(_ kind: TokenKeys.Kind, _ algorithm: JWTSignatureConfig.KeyAlgorithm) throws {
        try withServer { server in
            let keys = try TokenKeys()
            try server.registerKey(publicKey: try keys.publicKey(kind), algorithm: algorithm.rawValue)
            func status(_ file: String) throws -> Int? {
                var issuer = JWTIssuer(signatureConfig: .key(algorithm, .pem(keyFile: .file(file))))
                issuer.audience = [AuthorizationServer.audience]
                var configuration = try ClientConfiguration.secure()
                configuration.auth = .jwt(issuer)
                let url = server.socketURL("/jwt", host: "127.0.0.1")
                let error = failure {
                    let client = try WebSocketClient(url, configuration: configuration)
                    try client.writeTextMessage("signed")
                    #expect(try client.readTextMessage() == "signed")
                    try client.close()
                }
                return error?.httpResponse?.status.code
            }
            #expect(try status(try keys.file(kind)) == nil)
            #expect(try status(try keys.file(kind, 2)) == 401)
            #expect(try server.handshakes().map(\.status) == [101, 401])
        }
    }
}
