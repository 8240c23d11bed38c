// TLS/: how connections are secured.
//
// Holds: the public settings of `wss:`, the SSL_CTX made of them and shared, the handshake as OpenSSL reports it, the
// verification of the server, sessions to resume, and what of it the application is told.
// Used by: Client, Reconnecting, Configuration, Auth, Session, Connection.
// Uses: Addressing, Errors, Files, OpenSSL; COpenSSL, LWSServiceLoop, OrderedCollections.

internal import COpenSSL
internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The one place that turns a ``ClientSecureSocket`` into an `SSL_CTX`, which connections are made from. Shared by
/// clients with equal settings and freed a moment after the last of them (``ClientVhostPool``); see ``TLSContextPool``.
final class TLSContext: @unchecked Sendable {
    // Safe to share: an SSL_CTX is reference-counted and locks what changes in it; it is not configured any more once
    // `init` is over.
    let pointer: OpaquePointer
    let settings: ClientSecureSocket
    let key: TLSContextKey
    let keyLog: KeyLogFile?
    /// Connections whose handshake is about to begin, by their descriptors. An entry is taken out by the loop that has
    /// put it in.
    private let expected = Locked<[Int32: TLSHandshake]>([:])

    /// Reads what the settings name. Blocks for as long as the files take.
    /// - Throws: `invalidArgument` and `ssl`, with the field and the file.
    init(_ key: TLSContextKey) throws(WebSocketError) {
        self.key = key
        settings = key.settings
        keyLog = try key.keyLogPath.map { path throws(WebSocketError) in try KeyLogFile(path) }
        pointer = try OpenSSLError.settingUp { () throws(WebSocketError) in
            guard let pointer = SSL_CTX_new(TLS_client_method()) else {
                throw WebSocketError(.ssl, "OpenSSL could not be set up", libraryDetail: OpenSSLError.first?.words)
            }
            return pointer
        }
        try OpenSSLError.settingUp { () throws(WebSocketError) in try configure() }
    }

    deinit {
        SSL_CTX_free(pointer)
        TLSContextPool.shared.forget(ObjectIdentifier(self), key)
    }

    private func configure() throws(WebSocketError) {
        cossl_set_modes(pointer)
        cossl_set_options(pointer, cossl_no_renegotiation | cossl_no_compression)
        guard try CipherSelection(settings).apply(to: pointer) else {
            throw WebSocketError(
                .ssl, "secureSocket: OpenSSL does not take these versions and ciphers",
                libraryDetail: OpenSSLError.first?.words)
        }
        if settings.enable {
            try loadRoots()
            try loadRevocationLists()
        }
        try loadKey()
        try installCallbacks()
    }

    // MARK: - Whom to trust

    private func loadRoots() throws(WebSocketError) {
        guard let choice = settings.cert?.choice else {
            return try loadSystemRoots()
        }
        let field = "secureSocket.cert"
        let place: FieldFile
        var roots: [Certificate]
        switch choice {
        case .pem(let source):
            place = FieldFile(field: field, source: source)
            roots = try Certificate.read(pem: try place.bytes(), place)
        case .pkcs12(let source, let password):
            place = FieldFile(field: field, source: source)
            roots = try PKCS12Store(try place.bytes(), password: password, place).certificates
        case .directory(let path):
            place = FieldFile(field: field, source: .file(path))
            roots = []
            for path in try FieldFile.files(in: path, field) {
                let file = FieldFile(field: field, source: .file(path))
                do throws(WebSocketError) {
                    roots += try Certificate.read(pem: try file.bytes(), file)
                } catch  where !error.isRetriable {
                    // What is there besides certificates is not our business.
                }
            }
        }
        guard !roots.isEmpty else { throw place.error("has no certificate") }
        let store = SSL_CTX_get_cert_store(pointer)
        for root in roots where X509_STORE_add_cert(store, root.pointer) != 1 { throw place.noMemory }
        // Whatever is given is trusted, self-signed or not.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    private func loadSystemRoots() throws(WebSocketError) {
        // It looks at some of what it does alone.
        guard SSL_CTX_set_default_verify_paths(pointer) == 1, !HeldLoop.lacksMemory else {
            throw WebSocketError(
                .ssl, "The system's roots could not be read", libraryDetail: OpenSSLError.first?.words)
        }
        // That succeeds without the file as well (crypto/x509/x509_d2.c: X509_STORE_set_default_paths_ex), and the context
        // would trust nobody for as long as some client has it.
        guard !DescriptorShortage.hides(cossl_system_roots()) else {
            throw WebSocketError(
                .ssl, "The system's roots could not be read: there is no descriptor left", isTransient: true)
        }
    }

    private func loadRevocationLists() throws(WebSocketError) {
        guard case .crl(let source) = settings.certValidation?.method else { return }
        let file = FieldFile(field: "secureSocket.certValidation", source: source)
        let lists = try PEM.blocks(try file.bytes()) {
            PEM_read_bio_X509_CRL($0, nil, nil, nil).map { RevocationList(owning: $0) }
        } failure: { words in
            file.error("has a revocation list that cannot be read", detail: words)
        }
        guard !lists.isEmpty else { throw file.error("has no revocation list in PEM form") }
        let store = SSL_CTX_get_cert_store(pointer)
        // One that is missing may be the one that matters.
        for list in lists where X509_STORE_add_crl(store, list.pointer) != 1 { throw file.noMemory }
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
    }

    // MARK: - Who the client is

    private func loadKey() throws(WebSocketError) {
        let field = "secureSocket.key"
        switch settings.key?.choice {
        case nil: return
        case .pem(let certFile, let keyFile, let password):
            let certFile = FieldFile(field: "\(field).certFile", source: certFile)
            let keyFile = FieldFile(field: "\(field).keyFile", source: keyFile)
            let certificates = try Certificate.read(pem: try certFile.bytes(), certFile)
            guard let first = certificates.first else { throw certFile.error("has no certificate") }
            let key = try PrivateKey(pem: try keyFile.bytes(), password: password, keyFile)
            try use(first, key, chain: certificates.dropFirst(), certFile, keyFile)
        case .pkcs12(let source, let password):
            let file = FieldFile(field: field, source: source)
            let store = try PKCS12Store(try file.bytes(), password: password, file)
            guard let key = store.key, let certificate = store.certificate else {
                throw file.error("has no private key with its certificate")
            }
            try use(certificate, key, chain: store.others[...], file, file)
        }
    }

    private func use(
        _ certificate: Certificate, _ key: PrivateKey, chain: ArraySlice<Certificate>, _ certFile: FieldFile,
        _ keyFile: FieldFile
    ) throws(WebSocketError) {
        guard SSL_CTX_use_certificate(pointer, certificate.pointer) == 1 else {
            throw certFile.error(
                "has a certificate that OpenSSL does not take: \(OpenSSLError.last?.words ?? "no reason given")")
        }
        for other in chain where !cossl_add_chain_certificate(pointer, other.pointer) { throw certFile.noMemory }
        guard SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            throw keyFile.error(
                "has a key that does not belong to the certificate", detail: OpenSSLError.last?.words)
        }
    }

    // MARK: - Handshakes

    /// A connection with this descriptor is about to begin its handshake.
    func expect(_ handshake: TLSHandshake, on descriptor: Int32) {
        expected.withLock { $0[descriptor] = handshake }
    }

    /// Takes out what was expected.
    func begin(on descriptor: Int32) -> TLSHandshake? {
        expected.withLock { $0.removeValue(forKey: descriptor) }
    }

    /// The attempt has ended, perhaps before its handshake began. Its descriptor may be another's by now.
    func forget(_ handshake: TLSHandshake) {
        expected.withLock { expected in
            for (descriptor, other) in expected where other === handshake { expected[descriptor] = nil }
        }
    }
}

extension TLSContext: Hashable {
    static func == (left: TLSContext, right: TLSContext) -> Bool { left === right }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

// MARK: - The file that the keys of connections are written to

/// An open key log.
final class KeyLogFile: Sendable {
    private let descriptor: Int32

    /// - Throws: `ssl` naming the file where it cannot be written.
    init(_ path: String) throws(WebSocketError) {
        descriptor = Interrupted.again { open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600) }
        guard descriptor >= 0 else {
            let reason = errno
            throw WebSocketError(
                .ssl, "secureSocket.keyLog: \(path) cannot be written: \(SystemReason.words(reason))",
                isTransient: SystemReason.shortage(reason) != nil)
        }
    }

    deinit { close(descriptor) }

    /// Adds a line. In one piece, for others may write to the file as well. A full disk loses the line.
    func add(_ line: UnsafePointer<CChar>) {
        let bytes = Array(UnsafeRawBufferPointer(start: line, count: strlen(line))) + [UInt8(ascii: "\n")]
        // It says what becomes of the handshake.
        let before = errno
        _ = Interrupted.again { write(descriptor, bytes, bytes.count) }
        errno = before
    }
}

extension ClientSecureSocket.KeyLog {
    /// `nil` where the environment names none.
    var path: String? {
        switch self {
        case .file(let path): return path
        case .environment:
            let path = ProcessInfo.processInfo.environment["SSLKEYLOGFILE"]
            return path?.isEmpty == true ? nil : path
        }
    }
}
