// PKCS#12 stores (RFC 7292).

internal import COpenSSL
internal import LWSServiceLoop

/// What a PKCS#12 store holds.
struct PKCS12Store {
    /// The private key with its certificate, in a key store.
    var key: PrivateKey?
    var certificate: Certificate?
    /// Further certificates.
    var others: [Certificate] = []

    /// - Throws: `ssl` naming the file: no PKCS#12, another password, or an algorithm that OpenSSL does not have.
    init(_ bytes: [UInt8], password: String, _ file: FieldFile) throws(WebSocketError) {
        let contents = try Self.opened(bytes, password: password, file) {
            (store) -> (key: PrivateKey?, certificate: Certificate?, others: [Certificate])? in
            var (key, certificate, others) = (OpaquePointer?.none, OpaquePointer?.none, OpaquePointer?.none)
            let status = PKCS12_parse(store.pointer, store.password, &key, &certificate, &others)
            defer { cossl_free_certificates(others) }
            guard status == 1 else { return nil }
            return (
                key: key.flatMap { store.ready(PrivateKey(owning: $0)) },
                certificate: certificate.flatMap { store.ready(Certificate(owning: $0)) },
                others: Certificate.list(others).compactMap(store.ready)
            )
        }
        (key, certificate, others) = contents
    }

    /// A store whose password is right.
    struct Opened {
        let pointer: OpaquePointer
        /// The form of the password which it is sealed with.
        let password: String?
        /// It is read in a library context of its own.
        let isApart: Bool

        /// The key for TLS to use, which one that was read apart is only when it is read again.
        func ready(_ key: PrivateKey) -> PrivateKey? {
            isApart ? cossl_key_in_global_context(key.pointer).map { PrivateKey(owning: $0) } : key
        }

        /// The certificate, likewise.
        func ready(_ certificate: Certificate) -> Certificate? {
            isApart
                ? cossl_certificate_in_global_context(certificate.pointer).map { Certificate(owning: $0) }
                : certificate
        }
    }

    private static let legacyContext = MadeOnce { cossl_legacy_context().map(LegacyContext.init) }

    private struct LegacyContext: @unchecked Sendable {
        // Safe to share: a library context may be used on several threads (openssl-threads(7)), and this one is never changed.
        let pointer: UnsafeMutableRawPointer
    }

    /// Runs `body` with a store whose password is right: first with OpenSSL as it is, and where that cannot decrypt it with the
    /// ciphers of old (RC2, for instance, of Java's keytool before version 16), which OpenSSL 3 has in a provider of its own.
    /// - Parameter body: gives `nil` where the store cannot be decrypted, with the reason in OpenSSL's queue of errors.
    static func opened<Result>(
        _ bytes: [UInt8], password: String, _ file: FieldFile, _ body: (Opened) throws(WebSocketError) -> Result?
    ) throws(WebSocketError) -> Result {
        try OpenSSLError.settingUp(file.code) { () throws(WebSocketError) in
            if let result = try open(bytes, password, file, isApart: false, body) { return result }
            var reason = OpenSSLError.first
            let legacyContext = Self.legacyContext.value
            if legacyContext == nil, let shortage = DescriptorShortage.words {
                throw file.error("cannot be decrypted: \(shortage)", isTransient: true)
            }
            if let legacyContext {
                ERR_clear_error()
                let before = cossl_use_context(legacyContext.pointer)
                defer { _ = cossl_use_context(before) }
                if let result = try open(bytes, password, file, isApart: true, body) { return result }
                reason = OpenSSLError.first
            }
            let words =
                switch reason?.isUnsupported {
                case true? where legacyContext == nil:
                    "is encrypted in a way that the installed OpenSSL has only in its legacy provider, which is not there; "
                        + "convert it with `openssl pkcs12 -legacy`"
                case true?: "is encrypted in a way that the installed OpenSSL does not have"
                default: "cannot be decrypted: it is damaged, or a part of it has another password"
                }
            throw file.error(words, detail: reason?.words)
        }
    }

    private static func open<Result>(
        _ bytes: [UInt8], _ password: String, _ file: FieldFile, isApart: Bool,
        _ body: (Opened) throws(WebSocketError) -> Result?
    ) throws(WebSocketError) -> Result? {
        guard let input = PEM.reader(bytes) else { throw file.noMemory }
        defer { BIO_free(input) }
        guard let store = d2i_PKCS12_bio(input, nil) else {
            throw file.error("is not a PKCS#12 store", detail: OpenSSLError.first?.words)
        }
        defer { PKCS12_free(store) }
        guard PKCS12_mac_present(store) == 1 else {
            return try body(Opened(pointer: store, password: password.isEmpty ? nil : password, isApart: isApart))
        }
        // A store without a password is sealed with none, or with an empty one.
        let forms: [String?] = password.isEmpty ? [nil, ""] : [password]
        guard
            let form = forms.first(where: { PKCS12_verify_mac(store, $0, Int32(clamping: $0?.utf8.count ?? 0)) == 1 })
        else { throw file.error("cannot be opened: wrong password", detail: OpenSSLError.last?.words) }
        ERR_clear_error()
        return try body(Opened(pointer: store, password: form, isApart: isApart))
    }

    /// All certificates.
    var certificates: [Certificate] { (certificate.map { [$0] } ?? []) + others }

    // MARK: - One of the keys of a PKCS#12 store, by its name

    private final class Found {
        var keys: [(name: String?, key: PrivateKey?)] = []
    }

    /// The private key of that name, or the only one. `PKCS12_parse` gives one, whatever its name.
    /// - Parameter alias: the key's `friendlyName`; case counts where it tells two keys apart.
    /// - Throws: the file's error: no PKCS#12, another password, no such key, or several.
    static func key(
        in bytes: [UInt8], alias: String?, password: String, _ file: FieldFile
    ) throws(WebSocketError) -> PrivateKey {
        try opened(bytes, password: password, file) { (store) throws(WebSocketError) in
            let found = Found()
            let length = Int32(clamping: store.password?.utf8.count ?? 0)
            let isWhole = withExtendedLifetime(found) {
                cossl_each_key(
                    store.pointer, store.password, length, Unmanaged.passUnretained(found).toOpaque()
                ) { context, key, name in
                    let key = key.map { PrivateKey(owning: $0) }
                    guard let context else { return }
                    Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().keys
                        .append((name.map { String(cString: $0) }, key))
                }
            }
            let keys = choice(of: found.keys, alias)
            guard let (_, key) = keys.first else {
                // What cannot be decrypted may have it.
                guard isWhole else { return nil }
                throw file.error(alias.map { "has no key with the alias \"\($0)\"" } ?? "has no private key")
            }
            guard keys.count == 1 else {
                throw file.error(
                    alias == nil
                        ? "has several keys, and there is no alias to tell which"
                        : "has several keys with that alias")
            }
            guard let key else { return nil }
            return store.ready(key)
        }
    }

    private static func choice<Key>(of keys: [(name: String?, key: Key)], _ alias: String?) -> [(String?, Key)] {
        guard let alias else { return keys }
        let exact = keys.filter { $0.name == alias }
        // Java's keytool writes names in lower case, and finds them in any.
        return exact.isEmpty ? keys.filter { $0.name?.lowercased() == alias.lowercased() } : exact
    }
}
