// What was negotiated.

internal import COpenSSL

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
