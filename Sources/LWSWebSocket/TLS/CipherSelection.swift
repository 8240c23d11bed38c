// Which versions of TLS, and which cipher suites, are offered.

internal import COpenSSL
internal import LWSServiceLoop

/// The versions and suites of some settings, as OpenSSL wants them.
struct CipherSelection: Hashable {
    private(set) var versions: Set<TLSVersion>
    /// The suites of TLS 1.2 and older, by OpenSSL's names; `nil`: OpenSSL's own.
    private var list: String?
    /// Those of TLS 1.3.
    private var suites: String?

    /// - Throws: `invalidArgument` naming the suite that does not exist or does not protect; `ssl` where there is no memory to
    ///   look.
    init(_ settings: ClientSecureSocket) throws(WebSocketError) {
        OpenSSLLibrary.prepare()
        versions = settings.protocol
        guard !settings.ciphers.isEmpty else { return }
        guard let suites = Suite.all.value else {
            throw Self.invalid("ciphers", "the installed OpenSSL does not tell which cipher suites it has")
        }
        var chosen: [Suite] = []
        for name in settings.ciphers {
            guard let suite = suites[name] else {
                throw Self.invalid("ciphers", "the installed OpenSSL has no cipher suite \(name.debugDescription)")
            }
            guard suite.protects else {
                throw Self.invalid("ciphers", "\(name) does without authentication or encryption")
            }
            chosen.append(suite)
        }
        let modern = chosen.filter(\.isOfTLS13).map(\.name)
        let older = chosen.filter { !$0.isOfTLS13 }.map(\.name)
        if modern.isEmpty { versions.remove(.tls13) } else { self.suites = modern.joined(separator: ":") }
        if older.isEmpty { versions.formIntersection([.tls13]) } else { list = older.joined(separator: ":") }
        guard !versions.isEmpty else {
            throw Self.invalid("ciphers", "none of them is for a version that protocol allows")
        }
    }

    /// Sets them on a context. Returns whether OpenSSL takes them.
    func apply(to context: OpaquePointer) -> Bool {
        guard let lowest = versions.min(), let highest = versions.max(),
            cossl_set_protocol_range(context, Int32(lowest.rawValue), Int32(highest.rawValue))
        else { return false }
        let gaps: [(TLSVersion, UInt64)] = [
            (.tls10, cossl_no_tls1), (.tls11, cossl_no_tls11), (.tls12, cossl_no_tls12),
        ]
        cossl_set_options(context, gaps.reduce(0) { versions.contains($1.0) ? $0 : $0 | $1.1 })
        if let list, SSL_CTX_set_cipher_list(context, list) != 1 { return false }
        if let suites, SSL_CTX_set_ciphersuites(context, suites) != 1 { return false }
        return true
    }

    /// Checks that something is left to offer: the security level of OpenSSL's configuration forbids old versions and
    /// weak suites.
    static func check(_ settings: ClientSecureSocket) throws(WebSocketError) {
        try OpenSSLError.settingUp { () throws(WebSocketError) in
            let selection = try CipherSelection(settings)
            for version in selection.versions.sorted() where version < .tls12 {
                var alone = selection
                alone.versions = [version]
                guard alone.offersAnything, allowsOldSignatures.value == true else {
                    throw invalid("protocol", "the installed OpenSSL does not allow \(version) as it is configured")
                }
            }
            guard selection.offersAnything else {
                throw invalid("ciphers", "the installed OpenSSL does not allow any of them as it is configured")
            }
        }
    }

    /// Whether handshakes before TLS 1.2, which are signed with SHA-1, can be completed. From 3.0 on they need security
    /// level 0 (OpenSSL's CHANGES for 3.0), but are offered at any up to 2, and then fail in the midst of it
    /// (statem_clnt.c: tls_process_key_exchange, "legacy sigalg disallowed or unsupported").
    private static let allowsOldSignatures = MadeOnce<Bool> {
        guard OpenSSL_version_num() >= 0x3000_0000 else { return true }
        guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
        defer { SSL_CTX_free(context) }
        return SSL_CTX_get_security_level(context) == 0
    }

    /// Those of which something is left to offer. To ask OpenSSL takes half a millisecond, and it says the same each time.
    private static let offering = Locked<Set<CipherSelection>>([])
    private static let mostOffering = 64

    private var offersAnything: Bool {
        if Self.offering.withLock({ $0.contains(self) }) { return true }
        guard openSSLOffersAnything else { return false }
        Self.offering.withLock { if $0.count < Self.mostOffering { $0.insert(self) } }
        return true
    }

    private var openSSLOffersAnything: Bool {
        guard let context = SSL_CTX_new(TLS_client_method()) else { return false }
        defer { SSL_CTX_free(context) }
        guard apply(to: context), let connection = SSL_new(context) else { return false }
        defer { SSL_free(connection) }
        let usable = SSL_get1_supported_ciphers(connection)
        defer { cossl_free_ciphers(usable) }
        return cossl_cipher_count(usable) > 0
    }

    private static func invalid(_ field: String, _ what: String) -> WebSocketError {
        WebSocketError(.invalidArgument, "secureSocket.\(field): \(what)")
    }
}

/// A cipher suite that OpenSSL has.
private struct Suite: Sendable {
    /// OpenSSL's name.
    let name: String
    let isOfTLS13: Bool
    /// Whether it authenticates the server and encrypts.
    let protects: Bool

    /// All there are, by both of their names.
    static let all = MadeOnce<[String: Suite]> {
        guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
        defer { SSL_CTX_free(context) }
        SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
        // Not all suites of TLS 1.3 are on by default. Those of RFC 8446, section B.4.
        SSL_CTX_set_ciphersuites(
            context,
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:"
                + "TLS_AES_128_CCM_8_SHA256")
        guard !HeldLoop.lacksMemory, !OpenSSLError.isShortage else { return nil }
        let ciphers = SSL_CTX_get_ciphers(context)
        var all: [String: Suite] = [:]
        for index in 0..<cossl_cipher_count(ciphers) {
            guard let cipher = cossl_cipher_at(ciphers, index), let name = SSL_CIPHER_get_name(cipher) else {
                continue
            }
            let suite = Suite(
                name: String(cString: name), isOfTLS13: String(cString: SSL_CIPHER_get_version(cipher)) == "TLSv1.3",
                protects: SSL_CIPHER_get_auth_nid(cipher) != NID_auth_null
                    && SSL_CIPHER_get_cipher_nid(cipher) != NID_undef)
            all[suite.name] = suite
            if let standard = SSL_CIPHER_standard_name(cipher) { all[String(cString: standard)] = suite }
        }
        return all
    }
}
