// What libwebsockets may be built without.

import CLibWebSockets

/// A part of libwebsockets that whoever builds it may leave out. What needs it is refused in words; all else works.
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

    /// What an error says, and the log.
    package var absence: String { "libwebsockets was built without \(name) (\(option))" }

    /// As the build of libwebsockets has it.
    private var option: String {
        switch self {
        case .compression: "cmake -DLWS_WITHOUT_EXTENSIONS=OFF"
        case .ipv6: "cmake -DLWS_IPV6=ON"
        case .unixSockets: "cmake -DLWS_UNIX_SOCK=ON"
        }
    }
}
