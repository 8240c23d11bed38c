// Servers' certificates, the good and the bad.

import Foundation
import TestSupport
import Testing

@testable import LWSWebSocket

extension SecureMatrix {
    @Suite("a certificate")
    struct Certificates {
        static let accepted = [
            SecureCase("EC, with its chain") { $0.server.leaf = .good },
            SecureCase("RSA") { $0.server.leaf = .rsa },
            SecureCase("Ed25519") { $0.server.leaf = .ed25519 },
            SecureCase("issued by the root") { $0.server.leaf = .issuedByRoot },
            SecureCase("not in the lists of those revoked") {
                $0.tls.certValidation = .crl(.file(try $0.authority.crlFile))
            },
            SecureCase("not in the lists of those revoked, softly") {
                $0.tls.certValidation = .crl(.file(try $0.authority.crlFile), .soft)
            },
            SecureCase("revoked, where nobody asks") { $0.server.leaf = .revoked },
        ]

        @Test("is good:", arguments: SecurePeer.Kind.allCases, accepted + accepted.map { $0.limited(to: .tls12) })
        func accepts(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectAccepted(by: kind) { client, attempt in
                let chain = try #require(client.tlsInfo?.peerCertificates)
                #expect(chain.count == (attempt.server.leaf == .issuedByRoot ? 1 : 2))
                let fingerprint = try attempt.authority.server(attempt.server.leaf).fingerprint()
                let digits = chain.first?.sha256Fingerprint.map { String(format: "%02X", $0) }
                #expect(digits?.joined() == fingerprint)
            }
        }

        static let refused = [
            SecureCase("expired", says: "The certificate of localhost has expired, on 20") {
                $0.server.leaf = .expired
            },
            SecureCase("not yet valid", says: "The certificate of localhost is not yet valid, not before 20", "clock")
            {
                $0.server.leaf = .notYetValid
            },
            SecureCase("a key of 1024 bits", says: "The certificate of localhost is too weak", "key too weak") {
                $0.server.leaf = .weakKey
            },
            SecureCase("for clients", says: "The certificate of localhost is not acceptable", "purpose") {
                $0.server.leaf = .wrongPurpose
            },
            SecureCase("revoked, by a list", says: "The certificate of localhost has been revoked") {
                $0.server.leaf = .revoked
                $0.tls.certValidation = .crl(.file(try $0.authority.crlFile))
            },
            SecureCase("revoked, by a list, softly", says: "The certificate of localhost has been revoked") {
                $0.server.leaf = .revoked
                $0.tls.certValidation = .crl(.file(try $0.authority.crlFile), .soft)
            },
        ]

        @Test("is bad:", arguments: SecurePeer.Kind.allCases, refused)
        func refuses(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectRefused(by: kind)
        }
    }
}
