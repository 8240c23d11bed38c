// JSON Web Tokens as a library of another make sees them: Python's PyJWT.

import Foundation

package enum PyJWT {
    /// Verifies a token: its signature, that it is good now, and whom it is for. Runs `jwt_verify.py` once.
    /// - Parameters:
    ///   - key: the public key in PEM; for HS256 and its like the secret in base64.
    ///   - algorithm: no other is taken. "none": the token has to say that too, and its signature has to be empty.
    ///   - audience: `nil`: whoever it is for.
    /// - Returns: header and claims, in JSON, to the byte as they are in the token.
    /// - Throws: ``PeerError`` with PyJWT's words where the token is not good.
    package static func verify(
        token: String, key: String = "", algorithm: String, audience: String? = nil
    ) throws -> (header: String, claims: String) {
        let request: [String: Any] = [
            "token": token, "key": key, "algorithm": algorithm, "audience": audience ?? NSNull(),
        ]
        let json = String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
        let process = try PeerProcess(python: "jwt_verify.py", [json])
        guard try process.waitForExit() == .code(0) else { throw PeerError(process.output) }
        struct Answer: Decodable { let header, claims: String }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(process.output.utf8))
        return (answer.header, answer.claims)
    }
}
