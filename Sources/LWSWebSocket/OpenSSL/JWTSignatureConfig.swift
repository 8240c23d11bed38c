// How a token is signed, and with which key.

/// How a ``JWTIssuer``'s tokens are signed: the algorithms of RFC 7518 (section 3.1) and RFC 8037, made by OpenSSL.
///
/// RFC 7518 asks for keys of some length: RSA keys of 2048 bits at least (section 3.3), secrets at least as long as
/// the hash, which is 32, 48 or 64 bytes (section 3.2). Shorter ones are used all the same, for servers exist that
/// have no others. Only what cannot work is refused: an empty secret, a key of another kind, one of another curve.
public struct JWTSignatureConfig: Sendable, Hashable {
    /// Algorithms with a secret that both sides have (RFC 7518, section 3.2).
    public enum HMACAlgorithm: String, Sendable, Hashable, CaseIterable {
        /// HMAC with SHA-256.
        case hs256 = "HS256"
        /// HMAC with SHA-384.
        case hs384 = "HS384"
        /// HMAC with SHA-512.
        case hs512 = "HS512"
    }

    /// Algorithms with a private key, of which the server has the public half.
    public enum KeyAlgorithm: String, Sendable, Hashable, CaseIterable {
        /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3).
        case rs256 = "RS256"
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        case rs384 = "RS384"
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        case rs512 = "RS512"
        /// ECDSA with SHA-256, and a key of the curve P-256 (RFC 7518, section 3.4).
        case es256 = "ES256"
        /// ECDSA with SHA-384, and a key of the curve P-384.
        case es384 = "ES384"
        /// ECDSA with SHA-512, and a key of the curve P-521.
        case es512 = "ES512"
        /// EdDSA with a key of the curve Ed25519 or Ed448 (RFC 8037, section 3.1).
        case edDSA = "EdDSA"
    }

    enum Choice: Sendable, Hashable {
        case none
        case hmac(HMACAlgorithm, secret: [UInt8])
        case key(KeyAlgorithm, JWTSigningKey)
    }

    let choice: Choice

    /// No signature (RFC 7519, section 6): for servers that trust whoever can reach them. Anybody can make such a
    /// token.
    public static let none = JWTSignatureConfig(choice: .none)

    /// Signed with a secret; an empty one is ``WebSocketError/Code/invalidArgument`` when a client is made.
    public static func hmac(_ algorithm: HMACAlgorithm, secret: some Sequence<UInt8>) -> JWTSignatureConfig {
        JWTSignatureConfig(choice: .hmac(algorithm, secret: Array(secret)))
    }

    /// Signed with a secret, which is the UTF-8 of a text.
    public static func hmac(_ algorithm: HMACAlgorithm, secret: String) -> JWTSignatureConfig {
        hmac(algorithm, secret: secret.utf8)
    }

    /// Signed with a private key, whose kind and curve have to be the algorithm's.
    public static func key(_ algorithm: KeyAlgorithm, _ key: JWTSigningKey) -> JWTSignatureConfig {
        JWTSignatureConfig(choice: .key(algorithm, key))
    }

    /// The name in the token's header, `alg` (RFC 7515, section 4.1.1).
    var algorithm: String {
        switch choice {
        case .none: "none"
        case .hmac(let algorithm, _): algorithm.rawValue
        case .key(let algorithm, _): algorithm.rawValue
        }
    }

    func validate(_ field: String) throws(WebSocketError) {
        switch choice {
        case .none: break
        case .hmac(_, let secret):
            guard !secret.isEmpty else { throw WebSocketError(.invalidArgument, "\(field).secret: it is empty") }
        case .key(_, let key): try key.validate(field)
        }
    }
}

/// A private key that signs tokens. Its file is read when a client connects, and again when it connects after the
/// file has changed.
///
/// A file that cannot be read, a wrong password, an alias that is not there and a key that is not the algorithm's are
/// ``WebSocketError/Code/auth``, naming the file.
public struct JWTSigningKey: Sendable, Hashable {
    enum Choice: Sendable, Hashable {
        case pem(FileSource, password: String?)
        case pkcs12(FileSource, alias: String?, password: String)
    }

    let choice: Choice

    /// A PEM file with the private key. An encrypted one (PKCS#8, or the traditional form with a `DEK-Info` line)
    /// needs its password.
    public static func pem(keyFile: FileSource, keyPassword: String? = nil) -> JWTSigningKey {
        JWTSigningKey(choice: .pem(keyFile, password: keyPassword))
    }

    /// A PKCS#12 key store (RFC 7292).
    /// - Parameters:
    ///   - store: the store.
    ///   - alias: the name of the key (its `friendlyName`). Where no key is named exactly so, upper and lower case count
    ///     as the same, for Java's keytool writes all names in lower case. `nil`: the store's only key.
    ///   - password: that of the store and the key.
    public static func pkcs12(_ store: FileSource, alias: String? = nil, password: String) -> JWTSigningKey {
        JWTSigningKey(choice: .pkcs12(store, alias: alias, password: password))
    }

    func validate(_ field: String) throws(WebSocketError) {
        switch choice {
        case .pem(let source, _): try source.validate("\(field).keyFile")
        case .pkcs12(let source, let alias, _):
            try source.validate("\(field).keyStore")
            guard alias?.isEmpty != true else {
                throw WebSocketError(.invalidArgument, "\(field).keyAlias: it is empty")
            }
        }
    }
}

extension JWTSignatureConfig: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The algorithm alone.
    public var description: String { algorithm }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for it is secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension JWTSigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the key and its password.
    public var description: String {
        switch choice {
        case .pem(let source, _): "\(source)"
        case .pkcs12(let source, _, _): "\(source)"
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for it is secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
