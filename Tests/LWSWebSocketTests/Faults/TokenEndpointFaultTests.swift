// A real token endpoint that goes wrong: what the application is told, and that it can tell anybody.

import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A token endpoint in trouble", .serialized)
struct TokenEndpointFaultTests {
    private func withServer(_ body: (AuthorizationServer) throws -> Void) throws {
        try body(try SharedAuthorizationServer.cleared())
    }

    private static let unasked = "the token endpoint 127.0.0.1 could not be asked: "

    /// A path, how the error ends, and whether another try may go better.
    private static let troubles: [(path: String, words: String, isRetriable: Bool)] = [
        ("html", "answered with something that is not a JSON object, but text/html; charset=utf-8", false),
        ("no-token", "answered without an access_token", false),
        ("huge", "could not be asked: 127.0.0.1 answered with more than 65536 bytes", false),
        ("huge-chunked", "could not be asked: 127.0.0.1 answered with more than 65536 bytes", false),
        ("redirect", "redirected the request (302), which is not followed; check its URL", false),
        ("redirect-post", "redirected the request (307), which is not followed; check its URL", false),
        ("unavailable", "answered with status 503", true),
        (
            "truncated", "could not be asked: 127.0.0.1 ended the connection before its answer was complete", true
        ),
        ("not-bearer", "answered with a token of another type than Bearer", false),
        ("bad-token", "answered with an access_token that cannot be sent", false),
        ("missing", "answered with status 404", false),
    ]

    @Test("is an auth that says what it was", arguments: troubles.indices)
    func words(_ index: Int) throws {
        let trouble = Self.troubles[index]
        try withServer { server in
            for kind in GrantKind.allCases {
                let peer = TokenCase(server, try kind.grant(server, "/trouble/\(trouble.path)"))
                let error = try #require(failure { try peer.connect() })
                #expect(error.code == .auth)
                #expect(
                    error.description
                        == "There are no credentials for 127.0.0.1: the token endpoint 127.0.0.1 \(trouble.words)")
                #expect(error.isRetriable == trouble.isRetriable)
                #expect(try peer.grants() == [kind.type])
                #expect(try server.handshakes().isEmpty)
                try server.clear()
            }
        }
    }

    /// What is wrong with a request, and what the endpoint says of it.
    private static let refusals: [(change: @Sendable (inout OAuth2Grant) -> Void, status: Int, words: String)] = [
        ({ $0.clientSecret = "wrong" }, 401, "invalid_client"),
        ({ $0.clientId = "nobody" }, 401, "invalid_client"),
        ({ $0.scopes = ["everything"] }, 400, "invalid_scope: The requested scope is invalid"),
        (
            {
                $0.clientSecret = "wrong"
                $0.credentialBearer = .postBody
            }, 401, "invalid_client"
        ),
    ]

    @Test("is an auth in the endpoint's words where it refuses", arguments: refusals.indices)
    func refused(_ index: Int) throws {
        let (change, status, words) = Self.refusals[index]
        try withServer { server in
            var grant = try GrantKind.clientCredentials.grant(server)
            change(&grant)
            let error = try #require(failure { try TokenCase(server, grant).connect() })
            #expect(error.code == .auth && !error.isRetriable)
            #expect(error.description.contains("127.0.0.1 refused (\(status)): \(words)"), "\(error)")
            #expect(try server.requests().map(\.status) == [status])
        }
    }

    @Test("is an auth that another try may mend where nobody listens")
    func down() throws {
        try withServer { server in
            var grant = try GrantKind.clientCredentials.grant(server)
            grant.tokenUrl = "https://127.0.0.1:\(try FreePort.find())/token"
            let peer = TokenCase(server, grant)
            let error = try #require(failure { try peer.connect() })
            #expect(error.code == .auth && error.isRetriable)
            #expect(error.description.contains(Self.unasked), "\(error)")
            grant.tokenUrl = "https://no..such.host/token"
            let unknown = try #require(failure { try TokenCase(server, grant).connect() })
            #expect(unknown.code == .auth && unknown.description.contains("could not be resolved"), "\(unknown)")
        }
    }

    @Test("ends with the time limit of the request, or that of the handshake", arguments: [true, false])
    func slow(_ hasOwnLimit: Bool) throws {
        try withServer { server in
            var grant = try GrantKind.clientCredentials.grant(server, "/trouble/slow")
            let limit = Duration.milliseconds(200)
            if hasOwnLimit { grant.clientConfig.timeout = limit }
            let kept = try Punctuality(
                of: limit,
                attempt: {
                    var configuration = try TokenCase.configuration(OAuth2TokenProvider(grant))
                    configuration.handShakeTimeout = hasOwnLimit ? Timing.ages : limit
                    var error: WebSocketError?
                    let time = Timing.of {
                        error = failure {
                            try WebSocketClient(server.socketURL(host: "127.0.0.1"), configuration: configuration)
                        }
                    }
                    #expect(error?.code == .auth && error?.isRetriable == true)
                    #expect(error?.description.contains("127.0.0.1 took too long: it did not answer") == true)
                    return time
                })
            #expect(kept.isKept, "\(kept)")
        }
    }

    @Test("ends with the client at once")
    func closing() throws {
        try withServer { server in
            let grant = try GrantKind.clientCredentials.grant(server)
            var configuration = try TokenCase.configuration(OAuth2TokenProvider(grant))
            configuration.handShakeTimeout = Timing.ages
            try server.hold()
            let client = try WebSocketClient(
                unconnected: server.socketURL(host: "127.0.0.1"), configuration: configuration)
            let connecting = try Background { try client.connect() }
            #expect(try eventually { try server.waiting(atLeast: 1) == 1 })
            let time = try Timing.of {
                try client.close()
                #expect(failure { try connecting.value() }?.code == .connectionClosure)
            }
            #expect(time < Timing.atOnce, "\(time)")
            try server.release()
        }
    }

    @Test("is tried again as retryConfig says, where another try may go better")
    func retried() throws {
        let echo = try SettingsFixture.echoServer()
        defer { echo.stop() }
        let count = Locked(0)
        let endpoint = try RawServer { peer in
            _ = try? peer.readRequestHead()
            let number = count.withLock { number in
                number += 1
                return number
            }
            let body = #"{"access_token": "t", "token_type": "Bearer"}"#
            peer.send(
                number < 3
                    ? "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            peer.waitForEnd()
        }
        defer { endpoint.stop() }
        var configuration = try SettingsFixture.configuration()
        configuration.auth = .oauth2(
            .clientCredentials(
                tokenUrl: "http://127.0.0.1:\(endpoint.port)/", clientId: "c", clientSecret: "secret"))
        configuration.retryConfig = WebSocketRetryConfig(maxCount: 5, interval: .milliseconds(10))
        let client = try WebSocketClient("wss://127.0.0.1:\(echo.port)/", configuration: configuration)
        try client.exchange()
        try client.close()
        #expect(count.withLock { $0 } == 3)
    }

    @Test("of its certificate is an auth in OpenSSL's words")
    func untrusted() throws {
        try withServer { server in
            var grant = try GrantKind.clientCredentials.grant(server)
            grant.clientConfig.secureSocket = nil
            let error = try #require(failure { try TokenCase(server, grant).connect() })
            #expect(error.code == .auth && !error.isRetriable)
            #expect(error.description.contains("certificate"), "\(error)")
            #expect(try server.requests().isEmpty)
            grant.clientConfig.secureSocket = ClientSecureSocket()
            grant.clientConfig.secureSocket?.enable = false
            let log = RecordedLog()
            var configuration = try TokenCase.configuration(OAuth2TokenProvider(grant))
            configuration.logger = log.logger
            try WebSocketClient(server.socketURL(host: "127.0.0.1"), configuration: configuration).close()
            #expect(
                log.warnings.contains {
                    $0.hasPrefix("warning: The certificate of the token endpoint 127.0.0.1 is not")
                })
        }
    }

    @Test(
        "is none where the answer is unusual, but good",
        arguments: ["chunked", "close-delimited", "trickle", "string-expiry", "no-expiry"])
    func good(_ path: String) throws {
        try withServer { server in
            for kind in GrantKind.allCases {
                let peer = TokenCase(server, try kind.grant(server, "/trouble/\(path)"))
                let client = try peer.connect()
                try client.exchange()
                try client.close()
                if path == "trickle" { break }
            }
        }
    }
}
