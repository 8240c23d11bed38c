// What a client says of itself in tokens that it makes.

/// Makes the tokens that a client authenticates itself with (contract: "JWT issuer"): JSON Web Tokens (RFC 7519) in
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
