// Tokens that the client makes itself.

internal import HTTPTypes

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension ClientAuthentication {
    /// JWT issuer: `Authorization: Bearer` (RFC 6750, section 2.1) with a token that is made and signed for each
    /// handshake.
    ///
    /// A key that cannot be had or does not fit its algorithm is ``WebSocketError/Code/auth``; what is wrong in the
    /// settings themselves is ``WebSocketError/Code/invalidArgument``, when a client is made.
    public static func jwt(_ issuer: JWTIssuer) -> ClientAuthentication {
        ClientAuthentication(JWTAuthenticator(issuer)) { (field) throws(WebSocketError) in
            try issuer.validate(field)
        }
    }
}

/// A new token every time, so that a 401 leaves nothing else to try.
struct JWTAuthenticator: BuiltInAuthenticator {
    private let issuer: JWTIssuer
    private let signer: SignerCache
    private let now: @Sendable () -> Date

    /// - Parameter now: the time of day, for tests to set.
    init(_ issuer: JWTIssuer, now: @escaping @Sendable () -> Date = { Date() }) {
        self.issuer = issuer
        self.now = now
        // Wherever authentication is configured, the field is named so.
        signer = SignerCache(issuer.signatureConfig, "auth.signatureConfig")
    }

    func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
        do throws(WebSocketError) {
            return [.authorization: "Bearer \(try token())"]
        } catch {
            throw AuthenticationError(error)
        }
    }

    /// - Throws: `auth` where there is no key for it.
    func token() throws(WebSocketError) -> String {
        let key = try signer.signer()
        // After the key, whose file may be long in coming.
        let seconds = Int(now().timeIntervalSince1970.rounded(.down))
        return try JSONWebToken(issuer, at: seconds).compact(signedBy: key)
    }
}
