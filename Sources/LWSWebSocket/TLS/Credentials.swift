// The settings of certificates and keys: whom to trust, what is revoked, what to show.

/// The certificates that a server's chain has to lead to. Each counts as a root, also one that is not self-signed.
public struct TrustRoots: Sendable, Hashable {
    enum Choice: Sendable, Hashable {
        case pem(FileSource)
        case directory(String)
        case pkcs12(FileSource, password: String)
    }

    let choice: Choice

    /// All certificates of a PEM file.
    public static func pem(_ source: FileSource) -> TrustRoots { TrustRoots(choice: .pem(source)) }

    /// All certificates of all PEM files in a directory. Files without a certificate are passed over.
    public static func directory(_ path: String) -> TrustRoots { TrustRoots(choice: .directory(path)) }

    /// All certificates of a PKCS#12 trust store (RFC 7292).
    public static func pkcs12(_ source: FileSource, password: String) -> TrustRoots {
        TrustRoots(choice: .pkcs12(source, password: password))
    }

    func validate() throws(WebSocketError) {
        switch choice {
        case .pem(let source), .pkcs12(let source, _): try source.validate("secureSocket.cert")
        case .directory(let path): try FileSource.file(path).validate("secureSocket.cert")
        }
    }
}

extension TrustRoots: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String {
        switch choice {
        case .pem(let source), .pkcs12(let source, _): "\(source)"
        case .directory(let path): path
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for a password may be.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: - How the client finds out that a certificate has been revoked

/// Whether a server's certificate has been revoked: how that is found out, and what happens where it cannot be.
///
/// A certificate that is known to be revoked is refused in either mode.
public struct CertValidation: Sendable, Hashable {
    /// What happens where nothing is known of a certificate.
    public enum Mode: String, Sendable, Hashable {
        /// It is accepted. Whoever can keep the knowledge from the client can use a revoked certificate.
        case soft
        /// It is refused.
        case hard
    }

    enum Method: Sendable, Hashable {
        case ocspStapling
        case crl(FileSource)
    }

    let method: Method
    let mode: Mode

    /// The server is asked for an OCSP response along with its certificate (RFC 6066, section 8), whose signature,
    /// validity and status are checked (RFC 6960). It is about the server's own certificate alone.
    ///
    /// `soft`: a response that is missing, out of date, not signed by the certificate's issuer or of status unknown
    /// is passed over. `hard`: the status has to be good.
    public static func ocspStapling(_ mode: Mode = .hard) -> CertValidation {
        CertValidation(method: .ocspStapling, mode: mode)
    }

    /// A PEM file with the revocation lists (RFC 5280, section 5) of the authorities in the server's chain.
    ///
    /// `soft`: certificates that no list in force speaks of are accepted. `hard`: every certificate of the chain, up to
    /// the trusted one, needs a list of its issuer, and that list has to be in force.
    public static func crl(_ source: FileSource, _ mode: Mode = .hard) -> CertValidation {
        CertValidation(method: .crl(source), mode: mode)
    }

    func validate() throws(WebSocketError) {
        if case .crl(let source) = method { try source.validate("secureSocket.certValidation") }
    }
}

// MARK: - How the client proves to a server who it is

/// A certificate with its private key (RSA, ECDSA, Ed25519), which is shown to servers that ask for one.
public struct ClientKey: Sendable, Hashable {
    enum Choice: Sendable, Hashable {
        case pem(certificate: FileSource, key: FileSource, password: String?)
        case pkcs12(FileSource, password: String)
    }

    let choice: Choice

    /// A PEM file with the certificate, followed by those between it and the server's trusted root, and a PEM file
    /// with the private key. An encrypted key (PKCS#8, or the traditional form with a `DEK-Info` line) needs its password.
    public static func pem(certFile: FileSource, keyFile: FileSource, keyPassword: String? = nil) -> ClientKey {
        ClientKey(choice: .pem(certificate: certFile, key: keyFile, password: keyPassword))
    }

    /// A PKCS#12 key store (RFC 7292) with the certificate, its key and its chain.
    public static func pkcs12(_ source: FileSource, password: String) -> ClientKey {
        ClientKey(choice: .pkcs12(source, password: password))
    }

    func validate() throws(WebSocketError) {
        switch choice {
        case .pem(let certificate, let key, _):
            try certificate.validate("secureSocket.key.certFile")
            try key.validate("secureSocket.key.keyFile")
        case .pkcs12(let source, _): try source.validate("secureSocket.key")
        }
    }
}

extension ClientKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the key and its password.
    public var description: String {
        switch choice {
        case .pem(let certificate, let key, _): "\(certificate), \(key)"
        case .pkcs12(let source, _): "\(source)"
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for it is secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
