// JSON Web Tokens: their settings, and the making of them.

internal import HTTPTypes

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Makes the tokens that a client authenticates itself with: JSON Web Tokens (RFC 7519) in
/// the compact form of RFC 7515, section 7.1.
///
/// ```swift
/// var issuer = JWTIssuer(signatureConfig: .key(.rs256, .pem(keyFile: "client.key")))
/// issuer.issuer = "feed"
/// issuer.audience = ["https://example.com"]
/// configuration.auth = .jwt(issuer)
/// ```
///
/// A token has the claims that are set here, and `iat` and `nbf`, which are the moment it is made, and `exp`, all
/// three in whole seconds. What is not valid, each as described at its field, is
/// ``WebSocketError/Code/invalidArgument`` when a client is made.
public struct JWTIssuer: Sendable, Hashable {
    /// `iss` (RFC 7519, section 4.1.1). `nil`: left out; an empty one is not valid.
    public var issuer: String?
    /// `sub` (section 4.1.2). `nil`: left out; an empty one is not valid.
    public var username: String?
    /// `aud` (section 4.1.3): one as a string, several as an array, none left out. An empty one is not valid.
    public var audience: [String] = []
    /// `jti` (section 4.1.7), the same in every token. `nil`: left out; an empty one is not valid.
    public var jwtId: String?
    /// `kid` in the token's header (RFC 7515, section 4.1.4), by which a server chooses the key to verify it with.
    /// `nil`: left out; an empty one is not valid.
    public var keyId: String?
    /// Further claims, of any shape. Not valid are the names of claims that the other fields and the clock set
    /// (`iss`, `sub`, `aud`, `jti`, `exp`, `nbf`, `iat`), numbers that JSON does not have, and arrays and objects
    /// nested more than 64 deep.
    public var customClaims: [String: JSONValue] = [:]
    /// How long a token is valid: `exp` (RFC 7519, section 4.1.4) is so much after `iat`, rounded down to whole
    /// seconds. Not valid are less than a second and more than a hundred years.
    public var expTime: Duration = .seconds(300)
    /// How it is signed.
    public var signatureConfig: JWTSignatureConfig

    /// A token with its times alone; everything else is to be set.
    public init(signatureConfig: JWTSignatureConfig) { self.signatureConfig = signatureConfig }

    private static let reserved: Set<String> = ["iss", "sub", "aud", "jti", "exp", "nbf", "iat"]
    private static let longest = Duration.seconds(100 * 365 * 24 * 3600)

    func validate(_ field: String) throws(WebSocketError) {
        let texts = [("issuer", issuer), ("username", username), ("jwtId", jwtId), ("keyId", keyId)]
        for (name, text) in texts + audience.map({ ("audience", $0) }) where text?.isEmpty == true {
            throw WebSocketError(.invalidArgument, "\(field).\(name): it is empty")
        }
        // In the order of their names, so that of two mistakes always the same is reported.
        for (name, value) in customClaims.sorted(by: { $0.key < $1.key }) {
            guard !Self.reserved.contains(name) else {
                throw WebSocketError(
                    .invalidArgument,
                    "\(field).customClaims: \(name) is a claim that the other fields or the clock set")
            }
            // The object that the claims are in is a level as well.
            guard value.isWritable(depth: JSONGuard.maxDepth - 1) else {
                throw WebSocketError(
                    .invalidArgument,
                    "\(field).customClaims: a value has a number that JSON does not have, or is nested more than "
                        + "\(JSONGuard.maxDepth) deep")
            }
        }
        guard expTime >= .seconds(1), expTime <= Self.longest else {
            throw WebSocketError(
                .invalidArgument, "\(field).expTime: it is less than a second, or more than a hundred years")
        }
        try signatureConfig.validate("\(field).signatureConfig")
    }
}

extension JSONValue {
    /// Whether an encoder can write it, on any stack.
    fileprivate func isWritable(depth: Int) -> Bool {
        switch self {
        case .null, .bool, .integer, .string: true
        case .number(let value): value.isFinite
        case .array(let elements): depth > 0 && elements.allSatisfy { $0.isWritable(depth: depth - 1) }
        case .object(let members): depth > 0 && members.values.allSatisfy { $0.isWritable(depth: depth - 1) }
        }
    }
}

extension JWTIssuer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The algorithm alone: claims may be for nobody but the server.
    public var description: String { "JWT (\(signatureConfig))" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for it may be secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: - Tokens in the compact form

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

// MARK: - Tokens that the client makes itself

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
