// Signatures and authentication codes.

internal import COpenSSL
internal import LWSServiceLoop

/// Signs with one key in one of the algorithms of RFC 7518 (section 3) and RFC 8037, from any thread.
final class Signer: Sendable {
    private enum Digest { case sha256, sha384, sha512 }

    private let key: PrivateKey
    /// `nil`: the algorithm has its own.
    private let digest: Digest?
    /// Bytes of each of the two numbers of an ECDSA signature.
    private let coordinate: Int?
    /// For errors.
    private let name: String

    /// - Throws: `auth` naming the field where OpenSSL has no HMAC, or no memory.
    init(_ algorithm: JWTSignatureConfig.HMACAlgorithm, secret: [UInt8], _ field: String) throws(WebSocketError) {
        let pointer = try OpenSSLError.settingUp(.auth) { () throws(WebSocketError) in
            guard let pointer = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nil, secret, secret.count) else {
                throw WebSocketError(
                    .auth, "\(field): OpenSSL cannot use it", libraryDetail: OpenSSLError.first?.words)
            }
            return pointer
        }
        key = PrivateKey(owning: pointer)
        name = field
        coordinate = nil
        digest =
            switch algorithm {
            case .hs256: .sha256
            case .hs384: .sha384
            case .hs512: .sha512
            }
    }

    /// - Throws: the file's error where the key is not one of the algorithm's.
    init(
        _ algorithm: JWTSignatureConfig.KeyAlgorithm, _ key: PrivateKey, _ file: FieldFile
    ) throws(WebSocketError) {
        self.key = key
        name = file.name
        let (kinds, curve): ([PrivateKey.Kind], Curve?)
        switch algorithm {
        case .rs256: (digest, kinds, curve) = (.sha256, [.rsa], nil)
        case .rs384: (digest, kinds, curve) = (.sha384, [.rsa], nil)
        case .rs512: (digest, kinds, curve) = (.sha512, [.rsa], nil)
        case .es256: (digest, kinds, curve) = (.sha256, [.ec], .p256)
        case .es384: (digest, kinds, curve) = (.sha384, [.ec], .p384)
        case .es512: (digest, kinds, curve) = (.sha512, [.ec], .p521)
        case .edDSA: (digest, kinds, curve) = (nil, [.ed25519, .ed448], nil)
        }
        coordinate = curve?.coordinate
        try OpenSSLError.settingUp(.auth) { () throws(WebSocketError) in
            let isOfCurve = curve.map { cossl_curve(key.pointer) == $0.identifier } ?? true
            guard kinds.contains(key.kind), isOfCurve else {
                let wanted = curve?.name ?? kinds.map(\.description).joined(separator: " or ")
                throw file.error("has a key of another kind: \(algorithm.rawValue) needs one of \(wanted)")
            }
        }
    }

    /// The curves of RFC 7518, section 3.4.
    private struct Curve {
        let name: String
        let identifier: Int32
        let coordinate: Int

        static let p256 = Curve(name: "the curve P-256", identifier: NID_X9_62_prime256v1, coordinate: 32)
        static let p384 = Curve(name: "the curve P-384", identifier: NID_secp384r1, coordinate: 48)
        static let p521 = Curve(name: "the curve P-521", identifier: NID_secp521r1, coordinate: 66)
    }

    /// The signature or authentication code in the form of RFC 7518.
    /// - Throws: `auth`, as when an RSA key is too short for the hash.
    func sign(_ input: [UInt8]) throws(WebSocketError) -> [UInt8] {
        try OpenSSLError.settingUp(.auth) { () throws(WebSocketError) in
            guard let signature = signature(of: input), let plain = plain(signature) else {
                throw WebSocketError(
                    .auth, "\(name) has a key that does not sign", libraryDetail: OpenSSLError.first?.words)
            }
            return plain
        }
    }

    /// As OpenSSL has it: of ECDSA in DER.
    private func signature(of input: [UInt8]) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        var length = 0
        guard EVP_DigestSignInit(context, nil, function, nil, key.pointer) == 1,
            EVP_DigestSign(context, nil, &length, input, input.count) == 1,
            // Where there is no memory to find out the length of that of an EC key (crypto/ec/ec_asn1.c: ECDSA_size, 3.0).
            length > 0
        else { return nil }
        var isSigned = false
        let signature = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            isSigned = EVP_DigestSign(context, buffer.baseAddress, &length, input, input.count) == 1
            // Without memory for its encoding that of an EC key has a length below zero, and OpenSSL is content
            // (crypto/ec/ecdsa_ossl.c: ossl_ecdsa_sign, 3.0).
            if length > buffer.count { isSigned = false }
            count = isSigned ? length : 0
        }
        return isSigned ? signature : nil
    }

    private var function: OpaquePointer? {
        switch digest {
        case nil: nil
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }

    /// ECDSA: both numbers, R and S, each of the curve's length (RFC 7518, section 3.4).
    private func plain(_ signature: [UInt8]) -> [UInt8]? {
        guard let coordinate else { return signature }
        var fits = false
        let plain = [UInt8](unsafeUninitializedCapacity: 2 * coordinate) { buffer, count in
            fits = cossl_plain_ecdsa(signature, signature.count, buffer.baseAddress, Int32(coordinate))
            count = fits ? 2 * coordinate : 0
        }
        return fits ? plain : nil
    }
}

extension PrivateKey {
    /// The kinds that sign tokens.
    enum Kind: CustomStringConvertible {
        case rsa, ec, ed25519, ed448, other

        var description: String {
            switch self {
            case .rsa: "RSA"
            case .ec: "EC"
            case .ed25519: "Ed25519"
            case .ed448: "Ed448"
            case .other: "another kind"
            }
        }
    }

    var kind: Kind {
        switch cossl_key_kind(pointer) {
        case EVP_PKEY_RSA: .rsa
        case EVP_PKEY_EC: .ec
        case EVP_PKEY_ED25519: .ed25519
        case EVP_PKEY_ED448: .ed448
        default: .other
        }
    }
}

// MARK: - The key of a configuration, kept as long as its file stays as it is

/// Makes what a configuration asks for when it is first needed, and again after its file has changed.
final class SignerCache: Sendable {
    private struct Entry {
        /// `nil`: of what is in memory.
        let stamp: FileStamp?
        let signer: Signer
    }

    private let config: JWTSignatureConfig
    /// For errors: the configuration's field.
    private let field: String
    private let entry = Locked(Entry?.none)

    init(_ config: JWTSignatureConfig, _ field: String) {
        self.config = config
        self.field = field
    }

    /// `nil` where nothing is to be signed.
    /// - Throws: `auth` naming field and file: it cannot be read, the password is another, or the key does not fit.
    func signer() throws(WebSocketError) -> Signer? {
        // Before the file is read: a change meanwhile is seen next time.
        let stamp = path.flatMap { FileStamp($0) }
        if let entry = entry.withLock({ $0 }), entry.stamp == stamp, path == nil || stamp != nil {
            return entry.signer
        }
        // Without the lock, for reading takes its time; two threads may do it both.
        guard let signer = try makeSigner() else { return nil }
        entry.withLock { $0 = Entry(stamp: stamp, signer: signer) }
        return signer
    }

    private var path: String? {
        guard case .key(_, let key) = config.choice else { return nil }
        return switch key.choice {
        case .pem(let source, _): source.path
        case .pkcs12(let source, _, _): source.path
        }
    }

    private func makeSigner() throws(WebSocketError) -> Signer? {
        switch config.choice {
        case .none: return nil
        case .hmac(let algorithm, let secret):
            return try Signer(algorithm, secret: secret, "\(field).secret")
        case .key(let algorithm, let key):
            switch key.choice {
            case .pem(let source, let password):
                let file = FieldFile(field: "\(field).keyFile", source: source, code: .auth)
                return try Signer(algorithm, PrivateKey(pem: file.bytes(), password: password, file), file)
            case .pkcs12(let source, let alias, let password):
                let file = FieldFile(field: "\(field).keyStore", source: source, code: .auth)
                let key = try PKCS12Store.key(in: file.bytes(), alias: alias, password: password, file)
                return try Signer(algorithm, key, file)
            }
        }
    }
}
