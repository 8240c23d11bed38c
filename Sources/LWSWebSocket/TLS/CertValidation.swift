// How the client finds out that a certificate has been revoked.

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
