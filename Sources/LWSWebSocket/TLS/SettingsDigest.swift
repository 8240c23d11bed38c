// A name for settings that tells nothing of the secrets in them.

internal import COpenSSL

/// SHA-256 over settings of TLS and the state of their files, one value after the other with its length before it.
struct SettingsDigest {
    private var bytes: [UInt8] = []

    static func of(_ settings: ClientSecureSocket, _ stamps: [FileStamp?]) -> String {
        var digest = SettingsDigest()
        // Every field: one that is left out would have clients share what they must not (SettingsDigestTests).
        digest.add("\(settings.enable) \(settings.verifyHostName) \(settings.shareSession)")
        digest.add(settings.cert)
        digest.add(settings.key)
        digest.add(settings.protocol.map { "\($0.rawValue)" }.sorted())
        digest.add(settings.certValidation)
        digest.add(settings.ciphers)
        digest.add(settings.serverName.map { [$0] } ?? [])
        digest.add(settings.sessionTimeout)
        digest.add(settings.handshakeTimeout)
        digest.add(settings.pinnedPublicKeys.map(\.description).sorted())
        digest.add(settings.keyLog)
        for stamp in stamps { digest.add(bytes: stamp?.bytes ?? []) }
        return digest.value
    }

    private mutating func add(_ limit: Duration?) {
        add(limit.map { ["\($0.components.seconds)", "\($0.components.attoseconds)"] } ?? [])
    }

    private mutating func add(_ keyLog: ClientSecureSocket.KeyLog?) {
        switch keyLog {
        case nil: add("none")
        case .environment: add("environment")
        case .file(let path): add(["file", path])
        }
    }

    private mutating func add(_ roots: TrustRoots?) {
        switch roots?.choice {
        case nil: add("system")
        case .pem(let source): add("pem", source, nil)
        case .directory(let path): add(["directory", path])
        case .pkcs12(let source, let password): add("pkcs12", source, password)
        }
    }

    private mutating func add(_ key: ClientKey?) {
        switch key?.choice {
        case nil: add("none")
        case .pem(let certificate, let key, let password):
            add("certificate", certificate, nil)
            add("key", key, password)
        case .pkcs12(let source, let password): add("pkcs12", source, password)
        }
    }

    private mutating func add(_ validation: CertValidation?) {
        switch validation?.method {
        case nil: add("none")
        case .ocspStapling: add("ocsp")
        case .crl(let source): add("crl", source, nil)
        }
        add(validation?.mode.rawValue ?? "")
    }

    private mutating func add(_ kind: String, _ source: FileSource, _ password: String?) {
        add(kind)
        switch source.place {
        case .file(let path): add(["file", path])
        case .bytes(let contents):
            add("bytes")
            add(bytes: contents)
        }
        add(password.map { [$0] } ?? [])
    }

    private mutating func add(_ texts: [String]) {
        add("\(texts.count)")
        for text in texts { add(text) }
    }

    private mutating func add(_ text: String) { add(bytes: Array(text.utf8)) }

    private mutating func add(bytes more: [UInt8]) {
        withUnsafeBytes(of: UInt64(more.count).littleEndian) { bytes += $0 }
        bytes += more
    }

    /// In hexadecimal digits.
    private var value: String {
        let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            let isMade = EVP_Digest(bytes, bytes.count, buffer.baseAddress, &length, EVP_sha256(), nil) == 1
            count = isMade ? Int(length) : 0
        }
        // Where OpenSSL has no memory left the long name has to do.
        return (digest.isEmpty ? bytes : digest).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
