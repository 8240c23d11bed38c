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

    /// The usual notation of 4 or 16 bytes (RFC 5952); `nil` where there are others.
    static func text(_ bytes: some Collection<UInt8>) -> String? {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, Array(bytes), &text, socklen_t(text.count)) != nil else { return nil }
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }

    /// fe80::/10 (RFC 4291, section 2.5.6).
    var isLinkLocal: Bool { isIPv6 && bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 }
}
