// What was negotiated, and with whom: what the application is told of TLS.

internal import COpenSSL

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What the TLS handshake of a connection has led to.
public struct TLSInfo: Sendable, Hashable {
    /// The version that both sides agreed on.
    public let version: TLSVersion
    /// The cipher suite by its IANA name, as "TLS_AES_256_GCM_SHA384".
    public let cipherSuite: String
    /// The certificates that the server has sent, its own first; those of the first connection where a session was
    /// resumed.
    public let peerCertificates: [PeerCertificate]
    /// Whether an earlier connection's session was resumed.
    public let isResumed: Bool
    /// What the server has chosen with ALPN (RFC 7301): "http/1.1", the one protocol that is offered. `nil` where it
    /// ignores the offer.
    public let applicationProtocol: String?

    /// What is offered (RFC 7301, section 6).
    static let applicationProtocol = "http/1.1"

    init(_ ssl: OpaquePointer) {
        version = TLSVersion(rawValue: UInt16(truncatingIfNeeded: SSL_version(ssl)))
        let name = SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_standard_name($0) ?? SSL_CIPHER_get_name($0) }
        cipherSuite = name.map { String(cString: $0) } ?? ""
        peerCertificates = Certificate.list(SSL_get_peer_cert_chain(ssl)).map { PeerCertificate($0) }
        isResumed = SSL_session_reused(ssl) == 1
        applicationProtocol = Self.applicationProtocol(ssl)
    }

    static func applicationProtocol(_ ssl: OpaquePointer) -> String? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &bytes, &count)
        guard let bytes, count > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }
}

// MARK: - A certificate that a server has shown

/// An X.509 certificate (RFC 5280). What is asked for is read from it at that time; any thread.
public struct PeerCertificate: Sendable, Hashable {
    private let certificate: Certificate

    init(_ certificate: Certificate) { self.certificate = certificate }

    /// The whole certificate in DER.
    public var derEncoded: [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(certificate.pointer, &bytes)
        defer { cossl_free(bytes) }
        guard let bytes, count > 0 else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    /// Whom it is for, in the form of RFC 2253: "CN=example.com,O=Example".
    public var subject: String { Self.text(X509_get_subject_name(certificate.pointer)) }

    /// Who has signed it, in the same form.
    public var issuer: String { Self.text(X509_get_issuer_name(certificate.pointer)) }

    /// What it is for: the names that count (RFC 5280, section 4.2.1.6). Names of other kinds are left out.
    public var alternativeNames: [AlternativeName] {
        var names: [AlternativeName] = []
        withUnsafeMutablePointer(to: &names) { names in
            cossl_each_alternative_name(certificate.pointer, names) { names, kind, bytes, count in
                let bytes = UnsafeBufferPointer(start: bytes, count: Int(max(0, count)))
                guard let name = AlternativeName(kind, bytes) else { return }
                names?.assumingMemoryBound(to: [AlternativeName].self).pointee.append(name)
            }
        }
        return names
    }

    /// From when on it is valid.
    public var notBefore: Date { Self.date(X509_get0_notBefore(certificate.pointer)) }

    /// Until when it is valid.
    public var notAfter: Date { Self.date(X509_get0_notAfter(certificate.pointer)) }

    /// The SHA-256 of the whole certificate, 32 bytes.
    public var sha256Fingerprint: [UInt8] {
        Self.digest { X509_digest(certificate.pointer, EVP_sha256(), $0, $1) }
    }

    /// The SHA-256 of its public key, as ``ClientSecureSocket/pinnedPublicKeys`` takes it.
    public var publicKeyPin: PublicKeyPin {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.pointer), &bytes)
        defer { cossl_free(bytes) }
        let digest = Self.digest { EVP_Digest(bytes, Int(max(0, count)), $0, $1, EVP_sha256(), nil) }
        return PublicKeyPin(digest: digest)
    }

    /// Whether they are the same to the last byte.
    public static func == (left: PeerCertificate, right: PeerCertificate) -> Bool {
        left.derEncoded == right.derEncoded
    }

    /// Goes with `==`.
    public func hash(into hasher: inout Hasher) { hasher.combine(derEncoded) }

    // MARK: - Reading

    private static func digest(_ body: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>) -> Int32)
        -> [UInt8]
    {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            count = body(buffer.baseAddress, &length) == 1 ? Int(length) : 0
        }
    }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let output = cossl_memory_writer() else { return "" }
        defer { BIO_free(output) }
        guard let name, X509_NAME_print_ex(output, name, 0, cossl_name_form) >= 0 else { return "" }
        var bytes: UnsafeMutablePointer<CChar>?
        let count = cossl_memory_contents(output, &bytes)
        guard let bytes, count > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> Date {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return .distantPast }
        return Date(timeIntervalSince1970: Double(timegm(&parts)))
    }
}

extension PeerCertificate {
    /// One of the names that a certificate is for.
    public enum AlternativeName: Sendable, Hashable, CustomStringConvertible {
        /// A host's name, perhaps with a wildcard.
        case dns(String)
        /// An IP address in its usual notation.
        case ipAddress(String)
        /// A URI, as it stands in the certificate.
        case uri(String)
        /// An address of electronic mail.
        case email(String)

        fileprivate init?(_ kind: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
            let text = String(decoding: bytes, as: UTF8.self)
            switch kind {
            case GEN_DNS: self = .dns(text)
            case GEN_URI: self = .uri(text)
            case GEN_EMAIL: self = .email(text)
            default:
                guard let address = NumericAddress.text(bytes) else { return nil }
                self = .ipAddress(address)
            }
        }

        /// The name alone.
        public var description: String {
            switch self {
            case .dns(let text), .ipAddress(let text), .uri(let text), .email(let text): text
            }
        }
    }
}

extension PeerCertificate: CustomStringConvertible {
    /// Subject and issuer.
    public var description: String { "\(subject), issued by \(issuer)" }
}

extension Date {
    /// To the second, for errors.
    var inUTC: String { formatted(.iso8601) }
}
