// What libwebsockets has not, in one build or another.

import CLibWebSockets

/// Something that libwebsockets may be built without. What needs it is refused in words; all else works.
package enum LibraryFeature: Sendable, Hashable, CaseIterable {
    case compression, ipv6, unixSockets

    /// Those that this one has not.
    package static let missing = allCases.filter { !$0.isPresent }

    package var isPresent: Bool {
        switch self {
        case .compression: clws_has_extensions()
        case .ipv6: clws_has_ipv6()
        case .unixSockets: clws_has_unix_sockets()
        }
    }

    package var name: String {
        switch self {
        case .compression: "compression"
        case .ipv6: "IPv6"
        case .unixSockets: "Unix sockets"
        }
    }

    /// Why something cannot be done.
    package var absence: String {
        switch self {
        case .compression: "libwebsockets was built without \(name) (cmake -DLWS_WITHOUT_EXTENSIONS=OFF)"
        case .ipv6: "libwebsockets was built without \(name) (cmake -DLWS_IPV6=ON)"
        case .unixSockets: "libwebsockets was built without \(name) (cmake -DLWS_UNIX_SOCK=ON)"
        }
    }
}
