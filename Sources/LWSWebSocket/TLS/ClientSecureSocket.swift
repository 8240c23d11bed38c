// What a client can be told of TLS.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// How `wss:` connections are secured. A value, as ``ClientConfiguration`` is.
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

    /// The defaults, which each property tells.
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

// MARK: - The versions of TLS

/// A version of TLS.
public struct TLSVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number that the version has on the wire (RFC 8446, section 4.2.1).
    public let rawValue: UInt16

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// TLS 1.0 (RFC 2246), forbidden by RFC 8996. For old servers, where the installed OpenSSL still allows it.
    public static let tls10 = TLSVersion(rawValue: 0x0301)
    /// TLS 1.1 (RFC 4346), forbidden by RFC 8996. For old servers, where the installed OpenSSL still allows it.
    public static let tls11 = TLSVersion(rawValue: 0x0302)
    /// TLS 1.2 (RFC 5246).
    public static let tls12 = TLSVersion(rawValue: 0x0303)
    /// TLS 1.3 (RFC 8446).
    public static let tls13 = TLSVersion(rawValue: 0x0304)

    static let all = [tls10, tls11, tls12, tls13]

    /// The usual name, as "TLS 1.3".
    public var description: String { "TLS \(number)" }

    /// As "1.3".
    var number: String {
        switch self {
        case .tls10...Self.tls13: "1.\(rawValue - 0x0301)"
        default: "\(rawValue)"
        }
    }

    /// A version by its usual names: "TLSv1.2" and "TLS 1.2".
    init?(name: String) {
        let number = ["TLSv", "TLS ", "TLS"].first { name.hasPrefix($0) }.map { name.dropFirst($0.count) }
        switch number {
        case "1", "1.0": self = .tls10
        case "1.1": self = .tls11
        case "1.2": self = .tls12
        case "1.3": self = .tls13
        default: return nil
        }
    }

    /// The older one is less.
    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}

// MARK: - Pinning a server's public key

/// The SHA-256 of a public key in its certificate's form, SubjectPublicKeyInfo (as in RFC 7469, section 2.4).
///
/// `openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`
/// prints one, and so does ``PeerCertificate/publicKeyPin`` of a connection.
public struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    public let sha256: [UInt8]

    /// `nil` where there are not 32 bytes.
    public init?(sha256: some Sequence<UInt8>) {
        let bytes = Array(sha256)
        guard bytes.count == 32 else { return nil }
        self.sha256 = bytes
    }

    init(digest: [UInt8]) { sha256 = digest }

    /// A pin in Base64, with or without "sha256/" or "sha256//" before it. `nil` where it is none.
    public init?(base64: String) {
        let text = ["sha256//", "sha256/"].first { base64.hasPrefix($0) }.map { base64.dropFirst($0.count) }
        guard let data = Data(base64Encoded: String(text ?? base64[...])) else { return nil }
        self.init(sha256: data)
    }

    /// The pin in Base64.
    public var description: String { Data(sha256).base64EncodedString() }
}
