// What a client can be told of TLS.

/// How `wss:` connections are secured (contract: "secureSocket"). A value, as ``ClientConfiguration`` is.
///
/// Clients with equal settings share what OpenSSL makes of them, as long as there are any. Files are read on the thread
/// that connects. Whatever is wrong with them, and every failure of TLS, is ``WebSocketError/Code/ssl``.
///
/// libwebsockets does TLS with OpenSSL, whose configuration file and security level apply.
public struct ClientSecureSocket: Sendable, Hashable {
    /// `false`: nothing about the server's certificate is verified, so that anybody in between can read and change
    /// everything. For development; every client that is made so logs a warning.
    public var enable = true

    /// Whom to trust. `nil`: the system's roots. Where given, these alone count.
    public var cert: TrustRoots?

    /// The client's certificate with its key, for servers that ask for one. It is not shown to another server that a
    /// redirect leads to. `nil`: none.
    public var key: ClientKey?

    /// The versions of TLS that are allowed. TLS 1.0 and 1.1 are ``WebSocketError/Code/invalidArgument`` where the
    /// installed OpenSSL does not allow them at its security level; most do not.
    public var `protocol`: Set<TLSVersion> = [.tls12, .tls13]

    /// Whether and how to look for revoked certificates. `nil`: not at all.
    public var certValidation: CertValidation?

    /// The cipher suites that are allowed, the preferred one first, by their IANA names
    /// ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384") or OpenSSL's
    /// ("ECDHE-RSA-AES128-GCM-SHA256"). A version of TLS of which no suite is listed is not offered. A name that OpenSSL
    /// does not know, and a suite without authentication or encryption, is ``WebSocketError/Code/invalidArgument``.
    /// Empty: OpenSSL's own.
    public var ciphers: [String] = []

    /// Whether the certificate has to be for the server's name or address (RFC 9525: an alternative name of it; the
    /// common name does not count). `false`: any trusted certificate will do.
    public var verifyHostName = true

    /// The name to ask the server for (SNI, RFC 6066, section 3) and to verify, in place of the URL's host. It does not
    /// apply to another server that a redirect leads to. `nil`: the URL's host.
    public var serverName: String?

    /// Whether a later connection to the same host and port may resume the session of an earlier one, which saves a
    /// round trip or computing time (RFC 8446, section 2.2; RFC 5077). Only clients with equal settings share sessions.
    /// The certificate of a resumed session is not verified again.
    public var shareSession = true

    /// How long a session may be resumed, counted from the connection that verified the server's certificate, for
    /// resumed ones do not. The server may want less, and it ends with the certificate. `nil` or negative: two hours.
    public var sessionTimeout: Duration?

    /// How long the TLS handshake may take, from when TCP is connected, within
    /// ``ClientConfiguration/handShakeTimeout``. `nil` or negative: no limit of its own.
    public var handshakeTimeout: Duration?

    /// Where any are given, a certificate in the server's verified chain has to have one of these keys. It counts on
    /// top of everything else, and not where ``enable`` is `false`.
    public var pinnedPublicKeys: Set<PublicKeyPin> = []

    /// Where to write the keys of connections, so that a tool like Wireshark can decrypt recordings of them. `nil`: nowhere,
    /// whatever the environment says. Whoever can read the file can read the connections.
    public var keyLog: KeyLog?

    /// A file for the keys of connections, in the format of NSS. What it holds is kept, new lines go to its end.
    public enum KeyLog: Sendable, Hashable {
        /// This one, which is made where it is missing, readable for its owner only.
        case file(String)
        /// The one that the environment variable `SSLKEYLOGFILE` names, where it is set.
        case environment
    }

    /// The defaults of the contract.
    public init() {}
}

extension ClientSecureSocket {
    /// Checks all that needs no file.
    func validate() throws(WebSocketError) {
        func invalid(_ field: String, _ what: String) -> WebSocketError {
            WebSocketError(.invalidArgument, "secureSocket.\(field): \(what)")
        }
        try cert?.validate()
        try key?.validate()
        try certValidation?.validate()
        guard !`protocol`.isEmpty else { throw invalid("protocol", "no version of TLS is allowed") }
        if let serverName {
            guard WebSocketURL.isHostName(serverName) && !serverName.isEmpty || NumericAddress(serverName) != nil
            else {
                throw invalid("serverName", "\(serverName.debugDescription) is not a name or address")
            }
        }
        if let handshakeTimeout, handshakeTimeout == .zero { throw invalid("handshakeTimeout", "it is zero") }
        if case .file(let path) = keyLog { try FileSource.file(path).validate("secureSocket.keyLog") }
        if certValidation != nil, !enable { throw invalid("certValidation", "nothing is verified without enable") }
        if !pinnedPublicKeys.isEmpty, !enable {
            throw invalid("pinnedPublicKeys", "nothing is verified without enable")
        }
        try CipherSelection.check(self)
    }

    /// What of it applies to another server than that of the client's URL.
    var forOtherOrigin: ClientSecureSocket {
        var settings = self
        settings.key = nil
        settings.serverName = nil
        return settings
    }
}
