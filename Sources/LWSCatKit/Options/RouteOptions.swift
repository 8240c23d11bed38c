// Which way the connection takes.

import ArgumentParser
import LWSWebSocket

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct RouteOptions: ParsableArguments {
    @Option(
        name: .customLong("proxy"),
        help: .init(
            "An HTTP proxy, [http://][user:password@]host:port; 'environment': as http_proxy and its like say; 'none'.",
            valueName: "proxy"))
    var proxy: Secret?

    @Option(
        name: .customLong("local-address"),
        help: .init("Where to connect from: an address of this machine or an interface.", valueName: "address"))
    var localAddress: String?

    func apply(to configuration: inout ClientConfiguration) throws(Failure) {
        if let proxy {
            switch try proxy.value(of: "--proxy") {
            case "environment": configuration.proxy = .environment
            case "none": configuration.proxy = nil
            case let text: configuration.proxy = try Self.server(text)
            }
        }
        if let localAddress { configuration.localAddress = localAddress }
    }

    /// The text is not shown where it cannot be understood, for it may hold a password.
    private static func server(_ text: String) throws(Failure) -> Proxy {
        let url = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: url), parts.scheme == "http", let host = parts.host, !host.isEmpty,
            ["", "/"].contains(parts.path), parts.query == nil, parts.fragment == nil
        else { throw Failure(.usage, "--proxy is [http://][user:password@]host:port") }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        return Proxy(host: bare, port: parts.port ?? 80, username: parts.user, password: parts.password)
    }
}
