// Tokens in the compact form.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A token to be signed (RFC 7519) as a JWS in compact serialization (RFC 7515, section 7.1).
struct JSONWebToken {
    private let header: [UInt8]
    private let payload: [UInt8]

    /// - Parameters:
    ///   - header: the JSON of its header, in UTF-8.
    ///   - payload: that of its claims.
    init(header: [UInt8], payload: [UInt8]) {
        self.header = header
        self.payload = payload
    }

    /// A token that `issuer` makes at this moment, a number of seconds after 1970.
    /// - Throws: `auth` where the claims cannot be written, which `JWTIssuer.validate` rules out.
    init(_ issuer: JWTIssuer, at now: Int) throws(WebSocketError) {
        var header: JSONValue = ["alg": .string(issuer.signatureConfig.algorithm), "typ": "JWT"]
        header["kid"] = issuer.keyId.map { .string($0) }
        var claims = JSONValue.object(issuer.customClaims)
        claims["iss"] = issuer.issuer.map { .string($0) }
        claims["sub"] = issuer.username.map { .string($0) }
        claims["aud"] = Self.audience(issuer.audience)
        claims["jti"] = issuer.jwtId.map { .string($0) }
        claims["iat"] = .integer(Int128(now))
        claims["nbf"] = .integer(Int128(now))
        claims["exp"] = .integer(Int128(now) + Int128(issuer.expTime.components.seconds))
        self.init(header: try Self.json(header), payload: try Self.json(claims))
    }

    private static func audience(_ names: [String]) -> JSONValue? {
        switch names.count {
        case 0: nil
        case 1: .string(names[0])
        default: .array(names.map { .string($0) })
        }
    }

    private static func json(_ value: JSONValue) throws(WebSocketError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return Array(try encoder.encode(value)) } catch {
            throw WebSocketError(.auth, "auth.customClaims: they cannot be written as JSON")
        }
    }

    /// What is signed (RFC 7515, section 5.1).
    private var signingInput: String { "\(Self.base64URL(header)).\(Self.base64URL(payload))" }

    /// The token. Without a signer its third part is empty (RFC 7519, section 6.1).
    func compact(signedBy signer: Signer?) throws(WebSocketError) -> String {
        let input = signingInput
        guard let signer else { return "\(input)." }
        return "\(input).\(Self.base64URL(try signer.sign(Array(input.utf8))))"
    }

    /// RFC 4648, section 5, without padding (RFC 7515, section 2).
    private static func base64URL(_ bytes: [UInt8]) -> String {
        let characters = Data(bytes).base64EncodedData().compactMap { character -> UInt8? in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: character
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
