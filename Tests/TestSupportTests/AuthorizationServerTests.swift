// The authorization server does what its paths and commands are said to do, for a client of another make.

import Foundation
import TestSupport
import Testing

@Suite("Authorization server")
struct AuthorizationServerTests {
    private let authority: CertificateAuthority

    init() throws { authority = try CertificateAuthority.shared }

    @Test("Grants, tokens, upgrades and troubles are as they are said to be", arguments: [true, false])
    func everything(isSecure: Bool) throws {
        let server = try AuthorizationServer(tls: isSecure ? authority.server(.good) : nil)
        defer { server.stop() }
        let output = try server.check(trustFile: isSecure ? authority.rootFile : nil)
        #expect(output == "ok\n", "\(output)")
    }

    @Test("Requests that are held wait until they are released, and are recorded")
    func hold() throws {
        let server = try AuthorizationServer()
        defer { server.stop() }
        try server.hold()
        let clients = try (0..<2).map { _ in try post(server, body: "grant_type=client_credentials&a=%2B+") }
        #expect(try server.waiting(atLeast: 2) == 2)
        #expect(try server.requests().map(\.status) == [0, 0])
        try server.release()
        let answers = clients.map { String(decoding: $0.connection.readUntilEnd(), as: UTF8.self) }
        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 401 ") && $0.contains("invalid_client") }, "\(answers)")
        #expect(try server.waiting() == 0)
        let request = try #require(try server.requests().first)
        #expect(request.method == "POST" && request.path == "/token" && request.status == 401)
        #expect(request.headerFields.first == ["hOsT", "localhost"])
        #expect(request.headerValues("host") == ["localhost"])
        #expect(request.form == [["grant_type", "client_credentials"], ["a", "+ "]])
        #expect(request.formValues("a") == ["+ "])
        try server.clear()
        #expect(try server.requests().isEmpty && server.handshakes().isEmpty)
        let error = #expect(throws: PeerError.self) { try server.registerKey(publicKey: "none", algorithm: "RS256") }
        #expect(error?.description.hasPrefix("registerKey: ") == true)
    }

    @Test(
        "A server that is started again knows its tokens where it has the files for that", arguments: [true, false])
    func restart(hasFiles: Bool) throws {
        let folder = try TemporaryFolder("lws-test-authorization")
        let (state, key) = hasFiles ? (folder.file("state.json"), folder.file("key.pem")) : (nil, nil)
        let first = try AuthorizationServer(stateFile: state, signingKeyFile: key)
        let token = try first.check("--token").trimmingCharacters(in: .newlines)
        #expect(try status(first, token: token) == 101)
        let alice = "client_id=app&grant_type=password&username=alice&password=correct+horse+%26+battery"
        let refreshToken = try #require(tokens(first, body: alice).refresh_token)
        first.stop()
        let second = try AuthorizationServer(
            tokenPort: first.tokenPort, socketPort: first.socketPort, stateFile: state, signingKeyFile: key)
        defer { second.stop() }
        #expect(second.tokenURL() == first.tokenURL() && second.socketURL() == first.socketURL())
        #expect(try status(second, token: token) == (hasFiles ? 101 : 401))
        let refresh = "client_id=app&grant_type=refresh_token&refresh_token=\(refreshToken)"
        #expect(try (tokens(second, body: refresh).access_token != nil) == hasFiles)
        guard hasFiles else { return }
        try second.revokeAccessTokens()
        #expect(try status(second, token: token) == 401)
        let seen = try second.handshakes()
        #expect(seen.map(\.path) == ["/echo", "/echo"] && seen.map(\.status) == [101, 401])
        #expect(seen.allSatisfy { $0.authorization == ["Bearer \(token)"] })
    }

    @Test("Connections are dropped, upgrades refused, and lives shortened, when that is asked for")
    func commands() throws {
        let server = try AuthorizationServer(expiresIn: 60)
        defer { server.stop() }
        let token = try server.check("--token").trimmingCharacters(in: .newlines)
        let open = try upgrade(server, token: token)
        #expect(try open.connection.readRequestHead().hasPrefix("HTTP/1.1 101 "))
        try server.refuseUpgrades(1)
        #expect(try status(server, token: token) == 401)
        #expect(try server.dropConnections() == 1)
        #expect(open.connection.readUntilEnd().isEmpty)
        try server.setExpiresIn(0)
        let expired = try server.check("--token").trimmingCharacters(in: .newlines)
        #expect(try status(server, token: expired) == 401)
        #expect(try status(server, token: token) == 101)
    }

    @Test("PyJWT takes a good token and no other")
    func verification() throws {
        // {"alg":"HS256"} and {"aud":"x"}, signed with the openssl command.
        let signed = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.HrP8Jn-xcGPP0dC3xXc4xgXZc19vSyhEDCIC-YVKNNQ"
        func verify(_ token: String, _ key: String, _ algorithm: String, _ audience: String?) throws -> String {
            let key = Data(key.utf8).base64EncodedString()
            return try TokenCheck.verify(token: token, key: key, algorithm: algorithm, audience: audience).claims
        }
        let key = "0123456789abcdef0123456789abcdef"
        #expect(try verify(signed, key, "HS256", "x") == #"{"aud": "x"}"#)
        for (key, algorithm, audience) in [
            ("other key, which is long enough, ", "HS256", "x"), (key, "HS384", "x"), (key, "HS256", "y"),
            (key, "none", "x"),
        ] {
            #expect(throws: PeerError.self) { try verify(signed, key, algorithm, audience) }
        }
        // {"alg":"none"} and the same claims.
        let unsigned = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0."
        #expect(try verify(unsigned, "", "none", nil) == #"{"aud": "x"}"#)
        #expect(throws: PeerError.self) { try verify(unsigned, "", "none", "y") }
    }

    @Test("Token endpoints that fall silent, or nearly, do just that")
    func silence() throws {
        let server = try AuthorizationServer()
        defer { server.stop() }
        let slow = try post(server, path: "/trouble/slow", body: "")
        // From before the request: what comes of it is not to be early, however late this thread looks.
        let begin = ContinuousClock.now
        let trickle = try post(server, path: "/trouble/trickle", body: "")
        #expect(try String(decoding: trickle.connection.read(41), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        #expect(ContinuousClock.now - begin > .milliseconds(40))
        #expect(slow.connection.isQuiet(for: .milliseconds(100)))
        #expect(try server.requests().first { $0.path == "/trouble/slow" }?.status == 0)
    }

    private func post(
        _ server: AuthorizationServer, path: String = "/token", body: String
    ) throws -> RawClient {
        let client = try RawClient(port: server.tokenPort)
        let lines = [
            "POST \(path) HTTP/1.1", "hOsT: localhost", "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: \(body.utf8.count)",
        ]
        client.connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        return client
    }

    private struct Tokens: Decodable { let access_token, refresh_token: String? }

    private func tokens(_ server: AuthorizationServer, body: String) throws -> Tokens {
        let client = try post(server, body: body)
        _ = try client.connection.readRequestHead()
        return try JSONDecoder().decode(Tokens.self, from: Data(client.connection.readUntilEnd()))
    }

    private func upgrade(_ server: AuthorizationServer, token: String) throws -> RawClient {
        let client = try RawClient(port: server.socketPort)
        let lines = [
            "GET /echo HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Authorization: Bearer \(token)",
        ]
        client.connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return client
    }

    private func status(_ server: AuthorizationServer, token: String) throws -> Int? {
        Int(try upgrade(server, token: token).connection.readRequestHead().split(separator: " ")[1])
    }
}
