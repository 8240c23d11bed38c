// Pinning a server's public key.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

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
