// The four grants of OAuth 2.0, against a real authorization server.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A token by each grant")
struct OAuth2GrantTests {
    private func withServer(
        stateFile: String? = nil, _ body: (AuthorizationServer) throws -> Void
    ) throws {
        let server = try AuthorizationServer(tls: try CertificateAuthority.shared.server(.good), stateFile: stateFile)
        defer { server.stop() }
        try body(server)
    }

    @Test(
        "is fetched, kept, renewed when it expires, and survives a revoked refresh token",
        arguments: GrantKind.allCases)
    func life(_ kind: GrantKind) throws {
        try withServer { server in
            let peer = TokenCase(server, try kind.grant(server))
            // The first, and one that takes what is there.
            for _ in 1...2 {
                let client = try peer.connect()
                try client.exchange()
                try client.close()
            }
            #expect(try peer.grants() == [kind.type])
            // It has a life of an hour; real time goes on as well.
            peer.skip(.seconds(3500))
            try peer.connect().close()
            #expect(try peer.grants() == [kind.type])
            peer.skip(.seconds(101))
            try peer.connect().close()
            #expect(try peer.grants() == [kind.type, kind.renewal])
            try server.revokeRefreshTokens()
            try server.clear()
            peer.skip(.seconds(3601))
            guard kind == .refreshToken else {
                try peer.connect().close()
                #expect(try peer.grants() == (kind == .password ? ["refresh_token", "password"] : [kind.type]))
                return
            }
            let error = try #require(failure { try peer.connect() })
            #expect(error.code == .auth && error.description.contains("invalid_grant"), "\(error)")
            #expect(!error.isRetriable)
        }
    }

    @Test("is renewed after a restart of the server that no longer knows it", arguments: GrantKind.allCases)
    func restart(_ kind: GrantKind) throws {
        let folder = try TemporaryFolder("lws-test-oauth2")
        let tls = try CertificateAuthority.shared.server(.good)
        // Refresh tokens survive, the key of access tokens does not.
        let state = folder.file("state.json")
        let first = try AuthorizationServer(tls: tls, stateFile: state)
        let peer = TokenCase(first, try kind.grant(first))
        var configuration = try TokenCase.configuration(peer.provider)
        configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(100), maxWaitInterval: .seconds(1))
        let client = try WebSocketClient(
            first.socketURL(host: "127.0.0.1"), configuration: configuration)
        try client.exchange()
        first.kill()
        let second = try AuthorizationServer(
            tls: tls, tokenPort: first.tokenPort, socketPort: first.socketPort, stateFile: state)
        defer { second.stop() }
        if kind == .jwtBearer { _ = try? second.registerKeyOfAssertions() }
        try client.writeTextMessage("again")
        #expect(try client.readTextMessage() == "again")
        try client.close()
        let seen = try second.handshakes().map(\.status)
        #expect(seen.suffix(2) == [401, 101], "\(seen)")
        #expect(try second.requests().last?.formValues("grant_type") == [kind.renewal])
    }

    @Test("goes with scopes, further parameters, and the client's name where it belongs", arguments: [true, false])
    func form(_ inHeader: Bool) throws {
        try withServer { server in
            let (id, secret) = AuthorizationServer.oddClient
            var grant = OAuth2Grant.clientCredentials(
                tokenUrl: server.tokenURL(host: "127.0.0.1"), clientId: id, clientSecret: secret)
            grant.scopes = ["read", "write"]
            grant.optionalParams = ["resource": "wss://example.com/ä b", "audience": "lws-tests"]
            grant.credentialBearer = inHeader ? .header : .postBody
            grant.clientConfig = try GrantKind.trusting()
            grant.clientConfig.customHeaders[try #require(.init("X-Custom"))] = "one"
            grant.clientConfig.customPayload = "more=1%262"
            try TokenCase(server, grant).connect().close()
            let request = try #require(try server.requests().last)
            #expect(request.status == 200)
            #expect(request.formValues("scope") == ["read write"])
            #expect(request.formValues("resource") == ["wss://example.com/ä b"])
            #expect(request.formValues("more") == ["1&2"])
            #expect(request.headerValues("X-Custom") == ["one"])
            #expect(request.headerValues("Content-Type") == ["application/x-www-form-urlencoded"])
            #expect(request.headerValues("Authorization").count == (inHeader ? 1 : 0))
            #expect(request.formValues("client_secret") == (inHeader ? [] : [secret]))
        }
    }

    @Test("is renewed where and how refreshConfig says, with the newest refresh token")
    func refreshConfig() throws {
        try withServer { server in
            var grant = try GrantKind.password.grant(server)
            grant.refreshConfig = .configured(
                refreshUrl: server.tokenURL("/token-rotating", host: "127.0.0.1"), scopes: ["read"],
                optionalParams: ["device": "7"], credentialBearer: .postBody,
                clientConfig: try GrantKind.trusting())
            let peer = TokenCase(server, grant)
            try peer.connect().close()
            var seen: [String?] = [peer.provider.refreshToken]
            for _ in 1...2 {
                peer.skip(.seconds(3601))
                try peer.connect().close()
                seen.append(peer.provider.refreshToken)
            }
            #expect(Set(seen).count == 3)
            let renewals = try server.requests().dropFirst()
            #expect(renewals.map(\.path) == ["/token-rotating", "/token-rotating"])
            #expect(renewals.map(\.status) == [200, 200])
            #expect(renewals.allSatisfy { $0.formValues("device") == ["7"] && $0.formValues("scope") == ["read"] })
            #expect(renewals.allSatisfy { $0.headerValues("Authorization").isEmpty })
            #expect(renewals.map { $0.formValues("refresh_token") } == seen.dropLast().map { [$0 ?? ""] })
        }
    }

    @Test("is given up clockSkew before its end, and without an expiry after defaultTokenExpTime")
    func times() throws {
        try withServer { server in
            var grant = try GrantKind.clientCredentials.grant(server)
            grant.clockSkew = .seconds(600)
            let skewed = TokenCase(server, grant)
            try skewed.connect().close()
            skewed.skip(.seconds(2900))
            try skewed.connect().close()
            #expect(try skewed.grants().count == 1)
            skewed.skip(.seconds(101))
            try skewed.connect().close()
            #expect(try skewed.grants().count == 2)
            try server.clear()
            grant = try GrantKind.clientCredentials.grant(server, "/trouble/no-expiry")
            grant.defaultTokenExpTime = .seconds(100)
            let unsaid = TokenCase(server, grant)
            for _ in 1...2 {
                try unsaid.connect().close()
                unsaid.skip(.seconds(101))
            }
            #expect(try unsaid.grants().count == 2)
        }
    }

    @Test("is fetched once for many clients at once, and shared by them")
    func oneRequest() throws {
        try withServer { server in
            let peer = TokenCase(server, try GrantKind.clientCredentials.grant(server))
            try server.hold()
            let clients = try (0..<12).map { _ in try Background { try peer.connect() } }
            #expect(try server.waiting(atLeast: 1) == 1)
            try server.release()
            for client in clients { try client.value().close() }
            #expect(try peer.grants().count == 1)
            let sent = try server.handshakes().flatMap(\.authorization)
            #expect(sent.count == 12 && Set(sent).count == 1)
        }
    }

    @Test("is fetched by another client where the one that asked is closed")
    func handOver() throws {
        try withServer { server in
            let peer = TokenCase(server, try GrantKind.clientCredentials.grant(server))
            try server.hold()
            let url = server.socketURL(host: "127.0.0.1")
            let first = try WebSocketClient(unconnected: url, configuration: TokenCase.configuration(peer.provider))
            let connecting = try Background { try first.connect() }
            _ = try server.waiting(atLeast: 1)
            let second = try Background { try peer.connect() }
            try first.close()
            #expect(failure { try connecting.value() }?.code == .connectionClosure)
            _ = try server.waiting(atLeast: 1)
            try server.release()
            try second.value().close()
        }
    }

    @Test("is renewed once after a 401 to the upgrade, and once only")
    func refused() throws {
        try withServer { server in
            let peer = TokenCase(server, try GrantKind.password.grant(server))
            try peer.connect().close()
            try server.revokeAccessTokens()
            try peer.connect().close()
            #expect(try peer.grants() == ["password", "refresh_token"])
            #expect(try server.handshakes().map(\.status) == [101, 401, 101])
            try server.clear()
            try server.refuseUpgrades(2)
            let error = try #require(failure { try peer.connect() })
            #expect(error.code == .invalidHandshake && error.httpResponse?.status.code == 401, "\(error)")
            #expect(try server.handshakes().map(\.status) == [401, 401])
            #expect(try peer.grants() == ["refresh_token"])
        }
    }
}

extension AuthorizationServer {
    /// After a restart.
    fileprivate func registerKeyOfAssertions() throws {
        _ = try GrantKind.jwtBearer.grant(self)
    }
}
