// The versions of TLS.

/// A version of TLS.
public struct TLSVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number that the version has on the wire (RFC 8446, section 4.2.1).
    public let rawValue: UInt16

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// TLS 1.0 (RFC 2246), forbidden by RFC 8996. For old servers, where the installed OpenSSL still allows it.
    public static let tls10 = TLSVersion(rawValue: 0x0301)
    /// TLS 1.1 (RFC 4346), forbidden by RFC 8996. For old servers, where the installed OpenSSL still allows it.
    public static let tls11 = TLSVersion(rawValue: 0x0302)
    /// TLS 1.2 (RFC 5246).
    public static let tls12 = TLSVersion(rawValue: 0x0303)
    /// TLS 1.3 (RFC 8446).
    public static let tls13 = TLSVersion(rawValue: 0x0304)

    static let all = [tls10, tls11, tls12, tls13]

    /// The usual name, as "TLS 1.3".
    public var description: String {
        switch self {
        case .tls10...Self.tls13: "TLS 1.\(rawValue - 0x0301)"
        default: "TLS \(rawValue)"
        }
    }

    /// A version by its usual names: "TLSv1.2" and "TLS 1.2".
    init?(name: String) {
        let number = ["TLSv", "TLS ", "TLS"].first { name.hasPrefix($0) }.map { name.dropFirst($0.count) }
        switch number {
        case "1", "1.0": self = .tls10
        case "1.1": self = .tls11
        case "1.2": self = .tls12
        case "1.3": self = .tls13
        default: return nil
        }
    }

    /// The older one is less.
    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}
