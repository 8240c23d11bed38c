// Revocation lists.

import Foundation

/// Each list is valid for a week from its making and names ``ServerLeaf/revoked``, unless something else is said.
extension CertificateAuthority {
    /// The lists of root and intermediate in one PEM file: what a client needs to check the whole chain.
    package var crlFile: String {
        get throws { try file("both.crl.pem") { try join([rootCRLFile, intermediateCRLFile], into: $0) } }
    }

    /// The root's list alone, in PEM. It names nobody.
    package var rootCRLFile: String {
        get throws { try file("root.crl.pem") { try root.makeRevocationList($0) } }
    }

    /// The intermediate's list alone, in PEM: enough to check leaves, not for the whole chain.
    package var intermediateCRLFile: String {
        get throws {
            try file("intermediate.crl.pem") { output in
                _ = try server(.revoked)
                try intermediate.makeRevocationList(output)
            }
        }
    }

    /// The root's list as it is, and one of the intermediate whose next update was due a day ago, in one PEM file.
    package var expiredCRLFile: String {
        get throws {
            try file("expired.crl.pem") { output in
                _ = try server(.revoked)
                let expired = output + ".intermediate"
                try intermediate.makeRevocationList(expired, isExpired: true)
                try join([rootCRLFile, expired], into: output)
            }
        }
    }
}
