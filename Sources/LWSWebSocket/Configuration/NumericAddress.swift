// IP addresses as text, told from names.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An IP address, equal to another one however the two are written. A zone ("%eth0") belongs to the way it is
/// reached, and is left out of account.
struct NumericAddress: Hashable {
    let isIPv6: Bool
    private let bytes: [UInt8]

    /// `nil` for what is no address.
    init?(_ text: String) {
        isIPv6 = text.contains(":")
        let bare = isIPv6 ? String(text.prefix { $0 != "%" }) : text
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(isIPv6 ? AF_INET6 : AF_INET, bare, &bytes) == 1 else { return nil }
        self.bytes = bytes
    }

    /// fe80::/10 (RFC 4291, section 2.5.6).
    var isLinkLocal: Bool { isIPv6 && bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 }
}
