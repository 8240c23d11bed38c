// What the tests of tokens begin with.

import Foundation
import HTTPTypes
import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

enum TokenFixture {
    static let moment = 1_700_000_000

    /// A token that is made at a moment, in the middle of its second.
    static func token(_ issuer: JWTIssuer, at moment: Int = moment) throws -> String {
        try JWTAuthenticator(issuer, now: { Date(timeIntervalSince1970: Double(moment) + 0.75) }).token()
    }

    /// What signs for a configuration.
    static func signer(_ config: JWTSignatureConfig) throws -> Signer? {
        try SignerCache(config, "auth.signatureConfig").signer()
    }

    static func json(_ data: Data) throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: data) }

    static func json(_ text: String) throws -> JSONValue { try json(Data(text.utf8)) }

    /// The parts of a token, without looking at its signature.
    static func unverified(_ token: String) throws -> (header: JSONValue, claims: JSONValue) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        try #require(parts.count == 3)
        return (try json(try #require(data(parts[0]))), try json(try #require(data(parts[1]))))
    }

    /// Undoes base64url, which has neither padding nor characters of the other alphabet.
    static func data(_ text: some StringProtocol) -> Data? {
        guard !text.contains(where: { "+/=".contains($0) }) else { return nil }
        let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - text.count % 4) % 4))
    }

    static var request: AuthenticationRequest {
        get throws {
            let fields = HTTPRequest(method: .get, scheme: "wss", authority: "example.com", path: "/")
            return AuthenticationRequest(
                fields,
                AuthenticationSurroundings(
                    proxy: nil, localAddress: nil, log: .silent, loop: .shared,
                    resolver: FixedResolver([]), deadline: .never, cancellation: Cancellation()))
        }
    }

    /// The error with which a handshake would end.
    static func refusal(_ config: JWTSignatureConfig) throws -> AuthenticationError? {
        let authenticator = JWTAuthenticator(JWTIssuer(signatureConfig: config))
        do {
            _ = try authenticator.headerFields(for: try request)
            return nil
        } catch let error as AuthenticationError {
            return error
        }
    }
}
