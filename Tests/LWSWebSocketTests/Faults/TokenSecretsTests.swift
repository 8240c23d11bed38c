// Secrets of authentication show nowhere, whatever goes wrong.

import Foundation
import HTTPTypes
import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A secret of authentication", .serialized)
struct TokenSecretsTests {
    /// Each of them is in one place alone.
    private enum Place: String, CaseIterable {
        case clientSecret, password, refreshToken, assertion, payload, header, parameter, own, hmac

        /// With what encodings change.
        var secret: String { "\(rawValue)-s3cr3t ä&=%+/:\(rawValue.count)" }
        /// Without, where only that is valid.
        var plain: String { "\(rawValue)-s3cr3t+\(rawValue.count)/~" }
    }

    private static let secrets = Secrets(
        Place.allCases.flatMap { [$0.secret, $0.plain] } + [
            AuthorizationServer.client.secret, AuthorizationServer.oddClient.secret,
            AuthorizationServer.user.password,
        ])

    private func expectHidden(in texts: [String], of what: String) {
        // Logs have many short lines: one search in all of them first.
        guard Self.secrets.shown(in: texts.joined(separator: "\n")) != nil else { return }
        for text in texts {
            let shown = Self.secrets.shown(in: text)
            #expect(shown == nil, "\(what) shows \(shown ?? "") in: \(text)")
        }
        Issue.record("\(what) shows a secret")
    }

    /// Adds to a grant what may be secret besides its own.
    private static func decorated(_ grant: OAuth2Grant, trusting: Bool = true) throws -> OAuth2Grant {
        var grant = grant
        if trusting { grant.clientConfig = try GrantKind.trusting() }
        grant.optionalParams["device"] = Place.parameter.secret
        grant.clientConfig.customHeaders[try #require(.init("X-Api-Key"))] = Place.header.plain
        grant.clientConfig.customPayload = "more=\(FormEncoding.encode(Place.payload.secret))"
        return grant
    }

    /// Each grant with secrets that no server takes.
    private static func grants(_ url: String) throws -> [OAuth2Grant] {
        let secret = Place.clientSecret.secret
        let grants: [OAuth2Grant] = [
            .clientCredentials(tokenUrl: url, clientId: "id", clientSecret: secret),
            .password(
                tokenUrl: url, username: "u", password: Place.password.secret, clientId: "id", clientSecret: secret),
            .refreshToken(
                refreshUrl: url, refreshToken: Place.refreshToken.secret, clientId: "id", clientSecret: secret),
            .jwtBearer(tokenUrl: url, assertion: Place.assertion.secret, clientId: "id", clientSecret: secret),
        ]
        return try grants.flatMap { grant -> [OAuth2Grant] in
            var inHeader = try decorated(grant)
            var inBody = inHeader
            inBody.credentialBearer = .postBody
            inBody.clientConfig.auth = .bearer(token: Place.own.plain)
            if case .password = grant.kind {
                inHeader.refreshConfig = .configured(
                    refreshUrl: url, optionalParams: ["p": Place.parameter.secret], credentialBearer: .postBody,
                    clientConfig: inBody.clientConfig)
            }
            return [inHeader, inBody]
        }
    }

    /// Every kind of value that secrets are put into.
    private static func values() throws -> [Any] {
        var issuer = JWTIssuer(signatureConfig: .hmac(.hs256, secret: Array(Place.hmac.secret.utf8)))
        issuer.customClaims = ["c": .string(Place.parameter.secret)]
        let key = JWTSigningKey.pem(keyFile: "k", keyPassword: Place.own.secret)
        let store = JWTSigningKey.pkcs12("s", password: Place.own.secret)
        var auths: [ClientAuthentication] = [
            .credentials(username: "u", password: Place.password.secret), .bearer(token: Place.own.plain),
            .jwt(issuer), .jwt(JWTIssuer(signatureConfig: .key(.rs256, key))),
            .jwt(JWTIssuer(signatureConfig: .key(.rs256, store))),
        ]
        var values: [Any] = [issuer, issuer.signatureConfig, key, store]
        for grant in try grants("https://127.0.0.1:9/token") {
            auths.append(.oauth2(grant))
            values += [grant, OAuth2TokenProvider(grant), grant.clientConfig]
            if let refresh = grant.refreshConfig { values.append(refresh) }
        }
        for auth in auths {
            var configuration = ClientConfiguration()
            configuration.auth = auth
            configuration.customHeaders[.cookie] = "a=b"
            values += [auth, auth.authenticator, configuration]
            values.append(try WebSocketClient(unconnected: "wss://127.0.0.1:9/", configuration: configuration))
        }
        return values
    }

    @Test("is not in what describes a configuration, a provider or a client")
    func descriptions() throws {
        for value in try Self.values() {
            expectHidden(in: shownForms(of: value), of: "\(type(of: value))")
        }
    }

    @Test("would be found by this test")
    func check() {
        for place in Place.allCases {
            let pair = Data("some\(place.secret)thing".utf8).base64EncodedString()
            for text in [place.secret, FormEncoding.encode(place.secret), "Basic \(pair)", "x\(place.plain)"] {
                #expect(Self.secrets.shown(in: text) != nil, "\(text)")
            }
            var dumped = ""
            dump(Array(place.secret.utf8), to: &dumped)
            #expect(Self.secrets.shown(in: dumped) != nil)
        }
    }

    /// All that a connect tells: its log, lws's log, and its error, if there is one.
    private func told(_ url: String, _ grant: OAuth2Grant) throws -> [String] {
        let (log, libraryLog) = (RecordedLog(), RecordedLog())
        LWSLog.setLevel(.debug, on: libraryLog.logger)
        defer { LWSLog.setLevel(.warning) }
        var configuration = try TokenCase.configuration(OAuth2TokenProvider(grant))
        configuration.logger = log.logger
        var told: [String] = []
        do throws(WebSocketError) {
            try WebSocketClient(url, configuration: configuration).close()
        } catch {
            #expect(error.code == .auth)
            told = shownForms(of: error) + [error.libraryDetail ?? ""]
        }
        if LibraryDetails.areBuiltIn { #expect(!libraryLog.lines.isEmpty) }
        return told + log.texts + libraryLog.texts
    }

    private static let paths = [
        "/token", "/trouble/html", "/trouble/no-token", "/trouble/huge", "/trouble/redirect", "/trouble/unavailable",
        "/trouble/truncated", "/trouble/echo-secret", "/trouble/not-bearer", "/trouble/bad-token",
    ]

    @Test("is in no error and no line of a log where the endpoint goes wrong", arguments: paths)
    func troubles(_ path: String) throws {
        let server = try SharedAuthorizationServer.cleared()
        let url = server.tokenURL(path, host: "127.0.0.1")
        var grants = try Self.grants(url)
        for kind in GrantKind.allCases { grants.append(try Self.decorated(try kind.grant(server, path))) }
        let (id, secret) = AuthorizationServer.oddClient
        grants.append(.clientCredentials(tokenUrl: url, clientId: id, clientSecret: secret))
        grants[grants.count - 1].clientConfig = try GrantKind.trusting()
        var texts: [String] = []
        for grant in grants { texts += try told(server.socketURL(host: "127.0.0.1"), grant) }
        expectHidden(in: texts, of: path)
        if path == "/trouble/echo-secret" { #expect(texts.contains { $0.contains("[secret]") }) }
    }

    @Test("is in no error and no line of a log where there is no endpoint, or no trust in it")
    func unreachable() throws {
        let server = try SharedAuthorizationServer.cleared()
        let slow = server.tokenURL("/trouble/slow", host: "127.0.0.1")
        for url in ["https://127.0.0.1:\(try FreePort.find())/token", slow, server.tokenURL(host: "127.0.0.1")] {
            for var grant in try Self.grants(url) {
                if url == slow {
                    grant.clientConfig.timeout = .milliseconds(50)
                } else {
                    grant.clientConfig.secureSocket = nil
                }
                expectHidden(in: try told(server.socketURL(host: "127.0.0.1"), grant), of: url)
            }
        }
    }

    @Test("is in no error about its configuration")
    func mistakes() throws {
        for change: @Sendable (inout OAuth2Grant) -> Void in [
            { $0.tokenUrl = "ftp://\(Place.own.plain)" }, { $0.tokenUrl = "https://u:\(Place.own.plain)@h/" },
            { $0.scopes = [Place.own.secret] }, { $0.optionalParams["grant_type"] = Place.own.secret },
            { $0.clientConfig.auth = .bearer(token: Place.own.secret) },
            { $0.clientConfig.customPayload = "a\r\nb\(Place.own.secret)" },
        ] {
            var grant = try #require(try Self.grants("https://127.0.0.1:9/").first)
            change(&grant)
            var configuration = ClientConfiguration()
            configuration.auth = .oauth2(grant)
            let error = failure {
                try WebSocketClient(unconnected: "ws://127.0.0.1:9/", configuration: configuration)
            }
            #expect(error?.code == .invalidArgument)
            expectHidden(in: shownForms(of: error), of: "a mistake")
        }
    }
}
