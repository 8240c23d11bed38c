// Addressing/: where a connection goes, and by which way.
//
// Holds: URLs, numeric addresses, the look-up of names, proxies with what they are asked and answer, and the address of this
// machine that a connection comes from.
// Used by: Client, Reconnecting, Configuration, Auth, Session, Connection, TLS.
// Uses: Errors, Loop; LWSServiceLoop.

internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What is connected to, and from which address. An object, for a client, its connection and what the loop has of it all keep it.
final class Route: Sendable {
    enum Hop: Sendable, Hashable {
        /// The server itself.
        case server
        case proxy(ProxyServer)
        /// The server itself, by a socket in the file system.
        case socket(path: String)
    }

    let url: WebSocketURL
    let hop: Hop
    /// An address of this machine, or the name of an interface.
    let localAddress: String?

    private let hasIPv6: Bool

    /// The way that a configuration asks for. Reads the environment where that is wanted.
    /// - Parameter missing: what libwebsockets has not.
    /// - Throws: `invalidArgument` also where libwebsockets cannot go that way.
    init(
        to url: WebSocketURL, through proxy: Proxy?, from localAddress: String?,
        missing: [LibraryFeature] = LibraryFeature.missing
    ) throws(WebSocketError) {
        self.url = url
        self.localAddress = localAddress
        let environment = { ProcessInfo.processInfo.environment }
        let proxy = try proxy?.server(for: url, environment: environment())
        hasIPv6 = !missing.contains(.ipv6)
        guard let path = url.socketPath else {
            hop = proxy.map { .proxy($0) } ?? .server
            try checkIPv6()
            return
        }
        guard localAddress == nil else {
            throw WebSocketError(.invalidArgument, "localAddress: a ws+unix URL has none", host: url.host)
        }
        hop = .socket(path: path)
        if missing.contains(.unixSockets) { throw cannotGo("The socket \(path)", .unixSockets) }
    }

    private func checkIPv6() throws(WebSocketError) {
        guard !hasIPv6 else { return }
        let places = [
            (nameToResolve.name, nameToResolve.words), (localAddress, "localAddress: \(localAddress ?? "")"),
        ]
        for (address, words) in places where address.flatMap(NumericAddress.init)?.isIPv6 == true {
            throw cannotGo(words, .ipv6)
        }
    }

    private func cannotGo(_ place: String, _ lack: LibraryFeature) -> WebSocketError {
        WebSocketError(.invalidArgument, "\(place) cannot be used: \(lack.absence)", host: url.host)
    }

    /// Those addresses of what is connected to that libwebsockets can go to.
    /// - Throws: `connection` where there are none. The name may have others another time.
    func usable(_ addresses: [ResolvedAddress]) throws(WebSocketError) -> [ResolvedAddress] {
        guard !hasIPv6 else { return addresses }
        let others = addresses.filter { !$0.isIPv6 }
        guard others.isEmpty else { return others }
        throw WebSocketError(
            .connection, "\(nameToResolve.words) has no IPv4 address, and \(LibraryFeature.ipv6.absence)",
            host: url.host)
    }

    /// Where libwebsockets does not go to a proxy's address. The proxy's name may have others another time.
    func unusableProxy(at address: ResolvedAddress) -> WebSocketError {
        let isFixed = NumericAddress(nameToResolve.name) != nil
        return WebSocketError(
            isFixed ? .invalidArgument : .connection,
            "\(nameToResolve.words) cannot be used at \(address.numeric): this libwebsockets, like 4.5.3 and newer, "
                + "reaches a proxy by an IPv4 address alone", host: url.host)
    }

    var proxy: ProxyServer? {
        if case .proxy(let server) = hop { server } else { nil }
    }

    /// Where there is nothing to look up: a socket's place in lws's form of it
    /// (`lws_client_connect_3_connect`: "+/path").
    var fixedAddress: ResolvedAddress? {
        if case .socket(let path) = hop { ResolvedAddress(numeric: "+\(path)") } else { nil }
    }

    /// What is looked up, and its words for errors.
    var nameToResolve: (name: String, words: String) {
        if let proxy { (proxy.host, "The proxy \(proxy.host)") } else { (url.host, "The host \(url.host)") }
    }
}

extension Route: Equatable {
    static func == (one: Route, other: Route) -> Bool {
        one.url == other.url && one.hop == other.hop && one.localAddress == other.localAddress
    }
}
