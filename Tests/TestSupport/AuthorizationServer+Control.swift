// What a test asks of the authorization server, and tells it to do, while it runs.

import Foundation

/// Each call is a connection of its own to the server's control port, and blocks until the server has done it.
extension AuthorizationServer {
    /// A request that came to the token endpoint.
    package struct TokenRequest: Sendable, Equatable, Decodable {
        package let method: String
        /// With the query, as it was sent.
        package let path: String
        /// Names and values, as they were sent and in their order.
        package let headerFields: [[String]]
        /// Names and values of the body's parameters, decoded, in their order.
        package let form: [[String]]
        /// What was answered; 0: nothing yet.
        package let status: Int

        /// The values of the header fields of a name, in any case.
        package func headerValues(_ name: String) -> [String] {
            headerFields.filter { $0[0].lowercased() == name.lowercased() }.map { $0[1] }
        }

        /// The values of a parameter.
        package func formValues(_ name: String) -> [String] { form.filter { $0[0] == name }.map { $0[1] } }
    }

    /// An opening handshake that came to the WebSocket endpoint.
    package struct Handshake: Sendable, Equatable, Decodable {
        package let path: String
        /// The values of all its Authorization fields.
        package let authorization: [String]
        /// 101, 401, or 404.
        package let status: Int
    }

    /// The requests that came to the token endpoint since the start, or since ``clear()``.
    package func requests() throws -> [TokenRequest] {
        struct Answer: Decodable { let requests: [TokenRequest] }
        return try run("requests", as: Answer.self).requests
    }

    /// The handshakes that came to the WebSocket endpoint since the start, or since ``clear()``.
    package func handshakes() throws -> [Handshake] {
        struct Answer: Decodable { let handshakes: [Handshake] }
        return try run("handshakes", as: Answer.self).handshakes
    }

    /// Forgets the requests and handshakes so far.
    package func clear() throws { try run("clear") }

    /// How many seconds the access tokens issued from now on are good for.
    package func setExpiresIn(_ seconds: Int) throws { try run("expiresIn", ["seconds": seconds]) }

    /// Refuses all refresh tokens issued so far.
    package func revokeRefreshTokens() throws { try run("revokeRefreshTokens") }

    /// Refuses all access tokens issued so far. Connections that were made with them stay.
    package func revokeAccessTokens() throws { try run("revokeAccessTokens") }

    /// Lets requests to the token endpoint wait from now on, until ``release()`` or for 120 s.
    package func hold() throws { try run("hold") }

    /// Answers the requests that wait, and holds no further ones.
    package func release() throws { try run("release") }

    /// How many requests wait.
    /// - Parameter count: returns as soon as that many wait, and after 15 s in any case.
    package func waiting(atLeast count: Int = 0) throws -> Int {
        struct Answer: Decodable { let waiting: Int }
        return try run("waiting", ["atLeast": count], as: Answer.self).waiting
    }

    /// The key that verifies clients' assertions, and the tokens for `/jwt`.
    /// - Parameters:
    ///   - publicKey: in PEM.
    ///   - algorithm: RS256 and its like, PS256, ES256, EdDSA, ...; no other is taken.
    package func registerKey(publicKey: String, algorithm: String) throws {
        try run("registerKey", ["pem": publicKey, "algorithm": algorithm])
    }

    /// The same for HS256, HS384 and HS512.
    package func registerKey(secret: [UInt8], algorithm: String) throws {
        try run("registerKey", ["secret": Data(secret).base64EncodedString(), "algorithm": algorithm])
    }

    /// Answers the next upgrades with 401, whatever they carry.
    package func refuseUpgrades(_ count: Int) throws { try run("refuseUpgrades", ["count": count]) }

    /// Drops TCP under all WebSocket connections.
    /// - Returns: how many there were.
    @discardableResult
    package func dropConnections() throws -> Int {
        struct Answer: Decodable { let dropped: Int }
        return try run("dropConnections", as: Answer.self).dropped
    }

    private struct Nothing: Decodable {}

    private struct Failure: Decodable { let error: String? }

    private func run(_ command: String, _ fields: [String: any Sendable] = [:]) throws {
        _ = try run(command, fields, as: Nothing.self)
    }

    private func run<Answer: Decodable>(
        _ command: String, _ fields: [String: any Sendable] = [:], as type: Answer.Type
    ) throws -> Answer {
        let request = fields.merging(["command": command]) { _, name in name }
        let client = try RawClient(port: controlPort)
        client.connection.send(Array(try JSONSerialization.data(withJSONObject: request)) + [UInt8(ascii: "\n")])
        let answer = Data(client.connection.readUntilEnd())
        if let words = try? JSONDecoder().decode(Failure.self, from: answer).error {
            throw PeerError("\(command): \(words)")
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: answer)
        } catch {
            throw PeerError("\(command): \(String(decoding: answer, as: UTF8.self)) \(error)")
        }
    }
}
