// Tokens of any time, and keys in JSON, as PyJWT sees them.

import Foundation

/// What `jwt_check.py` does with another implementation of JSON Web Tokens, Python's PyJWT.
package enum TokenCheck {
    /// What a token says, each in JSON.
    package struct Token: Decodable {
        package let header: String
        package let claims: String
    }

    /// A key in PEM.
    package struct KeyPair: Decodable {
        /// PKCS#8.
        package let `private`: String
        package let `public`: String
    }

    /// Verifies a token.
    /// - Parameters:
    ///   - key: a public key in PEM, or the Base64 of a secret.
    ///   - algorithm: the one that has to be its own.
    ///   - audience: one of those that the token has to be for; `nil`: whatever it is for.
    ///   - checksTimes: whether it has to be valid now.
    /// - Throws: ``PeerError`` with PyJWT's words where it is not good.
    package static func verify(
        token: String, key: String, algorithm: String, audience: String? = nil, checksTimes: Bool = true
    ) throws -> Token {
        let request: [String: Any] = [
            "token": token, "key": key, "algorithm": algorithm, "audience": audience ?? NSNull(),
            "checksTimes": checksTimes,
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
        return try run(["verify", text])
    }

    /// Both halves of a private key that is given in JSON (RFC 7517).
    package static func pem(jwk: String) throws -> KeyPair { try run(["pem", jwk]) }

    private static func run<Answer: Decodable>(_ arguments: [String]) throws -> Answer {
        let process = try PeerProcess(python: "jwt_check.py", arguments)
        guard try process.waitForExit() == .code(0) else { throw PeerError("PyJWT: \(process.output)") }
        return try JSONDecoder().decode(Answer.self, from: Data(process.output.utf8))
    }
}
