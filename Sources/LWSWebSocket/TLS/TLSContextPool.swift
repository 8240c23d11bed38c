// The contexts of the process, shared by clients with equal settings, and what makes settings equal.

internal import COpenSSL
internal import LWSServiceLoop

/// What makes two contexts the same: the settings, and the state of the files that they name.
struct TLSContextKey: Sendable, Hashable {
    let settings: ClientSecureSocket
    let keyLogPath: String?
    private let stamps: [FileStamp?]
    /// Stands for all of it where it has to be remembered, for there are secrets in it.
    let digest: String

    /// - Throws: `ssl` where the system lacks what it takes to look at the files, without which it would be another's key.
    init(_ settings: ClientSecureSocket) throws(WebSocketError) {
        OpenSSLLibrary.prepare()
        self.settings = settings
        keyLogPath = settings.keyLog?.path
        stamps = try Self.files(settings).map { FileStamp($0) }
        digest = SettingsDigest.of(settings, stamps)
    }

    /// The rest follows from these.
    static func == (left: TLSContextKey, right: TLSContextKey) -> Bool {
        left.digest == right.digest && left.keyLogPath == right.keyLogPath
    }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    private static func files(_ settings: ClientSecureSocket) throws(WebSocketError) -> [String] {
        var paths: [String?] = []
        switch settings.cert?.choice {
        case nil: break
        case .pem(let source), .pkcs12(let source, _): paths.append(source.path)
        case .directory(let path):
            paths.append(path)
            do throws(WebSocketError) {
                paths += try FieldFile.files(in: path, "secureSocket.cert")
            } catch  where !error.isRetriable {
                // Making the context says so.
            }
        }
        switch settings.key?.choice {
        case nil: break
        case .pem(let certificate, let key, _): paths += [certificate.path, key.path]
        case .pkcs12(let source, _): paths.append(source.path)
        }
        if case .crl(let source) = settings.certValidation?.method { paths.append(source.path) }
        return paths.compactMap { $0 }
    }
}

/// All contexts that some client has.
final class TLSContextPool: Sendable {
    static let shared = TLSContextPool()

    /// An object, for with a struct in its place Swift 6.3.1 crashes where the dictionary is read (swift_weakLoadStrong).
    private final class Entry {
        weak var context: TLSContext?
        let id: ObjectIdentifier

        init(_ context: TLSContext) {
            self.context = context
            id = ObjectIdentifier(context)
        }
    }

    private let entries = Locked<[TLSContextKey: Entry]>([:])

    /// The context for these settings and the files as they are now. Blocks for as long as reading the files takes.
    func context(for settings: ClientSecureSocket) throws(WebSocketError) -> TLSContext {
        let key = try TLSContextKey(settings)
        if let context = entries.withLock({ $0[key]?.context }) { return context }
        // Without the lock, for it takes milliseconds: another thread may make the same one meanwhile.
        let made = try TLSContext(key)
        return entries.withLock { entries in
            if let context = entries[key]?.context { return context }
            entries[key] = Entry(made)
            return made
        }
    }

    /// A context goes. Another with the same key may be there already. Nothing here refers to a context with the lock held,
    /// which could be the last to do so.
    func forget(_ context: ObjectIdentifier, _ key: TLSContextKey) {
        entries.withLock { if $0[key]?.id == context { $0[key] = nil } }
    }

    /// For tests.
    var count: Int { entries.withLock { $0.count } }
}

// MARK: - A name for settings that tells nothing of the secrets in them

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
        return (digest.isEmpty ? bytes : digest).map(\.hexadecimal).joined()
    }
}
