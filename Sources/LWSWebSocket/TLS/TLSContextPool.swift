// The contexts of the process, shared by clients with equal settings.

internal import LWSServiceLoop

/// What makes two contexts the same: the settings, and the state of the files that they name.
struct TLSContextKey: Sendable, Hashable {
    let settings: ClientSecureSocket
    let keyLogPath: String?
    private let stamps: [FileStamp?]
    /// Stands for all of it where it has to be remembered, for there are secrets in it.
    let digest: String

    init(_ settings: ClientSecureSocket) {
        OpenSSLLibrary.prepare()
        self.settings = settings
        keyLogPath = settings.keyLog?.path
        stamps = Self.files(settings).map { FileStamp($0) }
        digest = SettingsDigest.of(settings, stamps)
    }

    /// The rest follows from these.
    static func == (left: TLSContextKey, right: TLSContextKey) -> Bool {
        left.digest == right.digest && left.keyLogPath == right.keyLogPath
    }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    private static func files(_ settings: ClientSecureSocket) -> [String] {
        var paths: [String?] = []
        switch settings.cert?.choice {
        case nil: break
        case .pem(let source), .pkcs12(let source, _): paths.append(source.path)
        case .directory(let path): paths += [path] + ((try? FieldFile.files(in: path, "")) ?? [])
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
        let key = TLSContextKey(settings)
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
