// The versions of TLS that a test's peers can be told to use.

/// A version of TLS. The peers allow 1.0 and 1.1 where they are asked for, with OpenSSL's security level 0, without
/// which OpenSSL 3 does not speak them.
package enum PeerTLSVersion: String, Sendable, CaseIterable, Comparable {
    case tls10 = "TLSv1"
    case tls11 = "TLSv1.1"
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
