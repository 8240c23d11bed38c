// The key of a configuration, kept as long as its file stays as it is.

internal import LWSServiceLoop

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
