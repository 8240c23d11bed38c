// What libwebsockets has not, in one release or build or another.

import CLibWebSockets

/// Something that not every libwebsockets has. What needs it is refused in words; all else works.
package enum LibraryFeature: Sendable, Hashable, CaseIterable {
    case compression, ipv6, unixSockets
    /// Proxies that are reached by an IPv6 address.
    case ipv6Proxies

    /// Those that this one has not.
    package static let missing = allCases.filter { !$0.isPresent }

    package var isPresent: Bool {
        switch self {
        case .compression: clws_has_extensions()
        case .ipv6: clws_has_ipv6()
        case .unixSockets: clws_has_unix_sockets()
        case .ipv6Proxies: clws_takes_ipv6_proxy()
        }
    }

    /// Whether it is there or not by the will of who built it, rather than by its release.
    package var isChosenByBuild: Bool { self != .ipv6Proxies }

    package var name: String {
        switch self {
        case .compression: "compression"
        case .ipv6: "IPv6"
        case .unixSockets: "Unix sockets"
        case .ipv6Proxies: "IPv6 addresses of proxies"
        }
    }

    /// Why something cannot be done.
    package var absence: String {
        switch self {
        case .compression: "libwebsockets was built without \(name) (cmake -DLWS_WITHOUT_EXTENSIONS=OFF)"
        case .ipv6: "libwebsockets was built without \(name) (cmake -DLWS_IPV6=ON)"
        case .unixSockets: "libwebsockets was built without \(name) (cmake -DLWS_UNIX_SOCK=ON)"
        case .ipv6Proxies: "libwebsockets 4.5.3 and newer reach a proxy by an IPv4 address alone"
        }
    }
}
