// The certificates that a test's clients show.

import Foundation

extension CertificateAuthority {
    /// A client's certificate. All are issued by the intermediate, but for ``ClientLeaf/otherAuthority``, and name
    /// their subject "CN=client".
    package enum ClientLeaf: String, Sendable, CaseIterable {
        /// With an EC P-256 key.
        case ecdsa
        /// With an RSA key of 2048 bits.
        case rsa
        case ed25519
        /// Ended to be valid a day ago.
        case expired
        /// Issued by a root that no server trusts (``otherRootFile``).
        case otherAuthority
    }

    /// A client's certificate with its key. A server that trusts ``rootFile`` alone needs the intermediate from the
    /// client (``TestIdentity/chainFile``); one that trusts ``clientTrustFile`` does not.
    package func client(_ leaf: ClientLeaf) throws -> TestIdentity {
        let issuer = leaf == .otherAuthority ? try otherRoot() : intermediate
        return try identity("client-\(leaf.rawValue)", issuer: issuer) { certificate, key in
            var request = CertificateIssuer.Request(
                subject: "/CN=client", extensions: Self.leafExtensions("clientAuth"))
            switch leaf {
            case .rsa: request.key = .rsa(bits: 2048)
            case .ed25519: request.key = .ed25519
            case .expired: (request.begins, request.ends) = (-3, -1)
            case .ecdsa, .otherAuthority: break
            }
            try issuer.issue(request, certificate: certificate, key: key)
        }
    }

    /// For servers that verify clients: root and intermediate, so that a client may send its leaf alone.
    package var clientTrustFile: String {
        get throws { try file("client-trust.pem") { try join([rootFile, intermediateFile], into: $0) } }
    }
}
