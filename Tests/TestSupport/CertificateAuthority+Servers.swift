// The certificates that a test's servers show.

import Foundation

extension CertificateAuthority {
    /// A server's certificate. Those without further words are for localhost, 127.0.0.1 and ::1, have an EC P-256 key
    /// and come from the intermediate; what is wrong with one is the only thing that is wrong with it.
    package enum ServerLeaf: String, Sendable, CaseIterable {
        /// Nothing is wrong with it.
        case good
        /// For `*.example.test` alone, not for example.test itself.
        case wildcard
        /// For 127.0.0.1 and ::1 as addresses; its common name is "address", and it has no DNS name.
        case addressOnly
        /// For other.test, which its common name says too.
        case wrongHost
        /// Ended to be valid a day ago.
        case expired
        /// Begins to be valid in two days.
        case notYetValid
        /// Issued by nobody but itself. Its chain has this one certificate.
        case selfSigned
        /// Issued by a root that nobody knows (``otherRootFile``), which is not in its chain.
        case unknownRoot
        /// In the intermediate's revocation list (``crlFile``), for the reason "key compromise".
        case revoked
        /// RSA with 1024 bits: too short for OpenSSL's security levels 1 (Debian's builds: 2) and above, on both
        /// sides; the peers of the tests allow it.
        case weakKey
        case rsa
        case ed25519
        /// localhost is its common name, and it has no alternative names.
        case commonNameOnly
        /// Issued by the root itself; the chain has this one certificate.
        case issuedByRoot
        /// Good, but for clients: its extended key usage is clientAuth alone.
        case wrongPurpose
    }

    /// A server's certificate with its key.
    package func server(_ leaf: ServerLeaf) throws -> TestIdentity {
        let issuer: CertificateIssuer
        switch leaf {
        case .issuedByRoot: issuer = root
        case .unknownRoot: issuer = try otherRoot()
        default: issuer = intermediate
        }
        return try identity("server-\(leaf.rawValue)", issuer: issuer) { certificate, key in
            let request = Self.request(leaf)
            if leaf == .selfSigned {
                try CertificateIssuer.makeSelfSigned(request, certificate: certificate, key: key, folder: folder.url)
            } else {
                try issuer.issue(request, certificate: certificate, key: key)
            }
            if leaf == .revoked { try issuer.revoke(certificate) }
        }
    }

    private static func request(_ leaf: ServerLeaf) -> CertificateIssuer.Request {
        let loopback = "DNS:localhost,IP:127.0.0.1,IP:::1"
        var (name, alternatives, purpose): (String, String?, String) = ("localhost", loopback, "serverAuth")
        switch leaf {
        case .wildcard: (name, alternatives) = ("wildcard", "DNS:*.example.test")
        case .addressOnly: (name, alternatives) = ("address", "IP:127.0.0.1,IP:::1")
        case .wrongHost: (name, alternatives) = ("other.test", "DNS:other.test")
        case .commonNameOnly: alternatives = nil
        case .wrongPurpose: purpose = "clientAuth"
        default: break
        }
        var request = CertificateIssuer.Request(subject: "/CN=\(name)", extensions: leafExtensions(purpose))
        if let alternatives { request.extensions.append("subjectAltName=\(alternatives)") }
        switch leaf {
        case .weakKey: request.key = .rsa(bits: 1024)
        case .rsa: request.key = .rsa(bits: 2048)
        case .ed25519: request.key = .ed25519
        case .expired: (request.begins, request.ends) = (-3, -1)
        case .notYetValid: (request.begins, request.ends) = (2, 7)
        default: break
        }
        return request
    }

    static func leafExtensions(_ purpose: String) -> [String] {
        [
            "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=\(purpose)", "subjectKeyIdentifier=hash",
        ]
    }

    /// An identity whose files are made once: those of the key and the certificate by `make`.
    func identity(
        _ name: String, issuer: CertificateIssuer, _ make: (_ certificate: String, _ key: String) throws -> Void
    ) throws -> TestIdentity {
        let identity = TestIdentity(authority: self, name: name, issuerFile: issuer.certificateFile)
        // The chain's file is the last one to come, so that a failure on the way is no half identity.
        _ = try file("\(name).chain.pem") { chain in
            try make(identity.certificateFile, identity.privateKeyFile)
            let isFromIntermediate = issuer.certificateFile == intermediateFile && name != "server-selfSigned"
            try join([identity.certificateFile] + (isFromIntermediate ? [intermediateFile] : []), into: chain)
        }
        return identity
    }
}
