// IP addresses, and the one of this machine that a connection is made from.

internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Turns the configuration's `localAddress` into the address to bind to.
///
/// lws could look an interface up by itself, but chooses between IPv4 and IPv6 by what the vhost allows instead of by
/// where the connection goes, and tells a failure only as "Unable to connect" (core-net/network.c: lws_socket_bind).
enum SourceAddress {
    enum Choice {
        /// Numeric, without a zone: lws finds that itself (`lws_get_addr_scope`).
        case address(String)
        case failure(String)
    }

    /// The address to reach `destination` from.
    static func choose(_ wanted: String, toward destination: ResolvedAddress) -> Choice {
        guard let target = NumericAddress(destination.numeric) else {
            return .failure("there is none for \(destination.numeric)")
        }
        let family = target.isIPv6 ? "IPv6" : "IPv4"
        if let given = NumericAddress(wanted) {
            guard given.isIPv6 == target.isIPv6 else {
                return .failure("\(wanted) cannot reach \(destination.numeric), which is an \(family) address")
            }
            return checked(wanted)
        }
        let all = addresses(ofInterface: wanted)
        guard !all.isEmpty else { return .failure("there is no interface or address \(wanted)") }
        let fitting = all.filter { NumericAddress($0)?.isIPv6 == target.isIPv6 }
        let best = fitting.first { NumericAddress($0)?.isLinkLocal == target.isLinkLocal } ?? fitting.first
        guard let best else {
            return .failure("the interface \(wanted) has no \(family) address, to reach \(destination.numeric) from")
        }
        return checked(best)
    }

    private static func checked(_ address: String) -> Choice {
        let reason = withAddress(address) { address, length, family in
            #if canImport(Darwin)
                let descriptor = socket(family, SOCK_STREAM, 0)
            #else
                let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            #endif
            guard descriptor >= 0 else { return errno }
            defer { close(descriptor) }
            return bind(descriptor, address, length) == 0 ? 0 : errno
        }
        guard reason == 0 else {
            let words = reason == EADDRNOTAVAIL ? "this machine does not have it" : SystemReason.words(reason)
            return .failure("\(address) cannot be used: \(words)")
        }
        return .address(String(address.prefix { $0 != "%" }))
    }

    private static func withAddress(
        _ text: String, _ body: (UnsafePointer<sockaddr>, socklen_t, Int32) -> Int32
    ) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(text, nil, &hints, &list) == 0, let list else { return EADDRNOTAVAIL }
        defer { freeaddrinfo(list) }
        return body(list.pointee.ai_addr, list.pointee.ai_addrlen, list.pointee.ai_family)
    }

    /// In the system's order, numeric, with zones.
    private static func addresses(ofInterface name: String) -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [String] = []
        var entry = list
        while let interface = entry?.pointee {
            entry = interface.ifa_next
            guard let address = interface.ifa_addr, String(cString: interface.ifa_name) == name else { continue }
            let length =
                switch Int32(address.pointee.sa_family) {
                case AF_INET: MemoryLayout<sockaddr_in>.size
                case AF_INET6: MemoryLayout<sockaddr_in6>.size
                default: 0
                }
            guard length > 0 else { continue }
            if let text = SystemNameResolver.numericForm(address, socklen_t(length)) { found.append(text) }
        }
        return found
    }
}

// MARK: - Where a client connects from, as it is configured

enum LocalAddress {
    /// Addresses and names of interfaces: no longer than an IPv6 address with a zone, printable, without a slash.
    static func validate(_ text: String) throws(WebSocketError) {
        let isPlausible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }
        guard !text.isEmpty, isPlausible, text.utf8.count <= 64 else {
            throw WebSocketError(
                .invalidArgument,
                "localAddress: \(text.debugDescription) is not an address or the name of an interface")
        }
    }
}

// MARK: - IP addresses as text, told from names

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
