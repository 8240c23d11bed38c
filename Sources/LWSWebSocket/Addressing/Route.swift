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

    /// The way that a configuration asks for. Reads the environment where that is wanted.
    /// - Parameter missing: what libwebsockets has not.
    init(
        to url: WebSocketURL, through proxy: Proxy?, from localAddress: String?,
        missing: [LibraryFeature] = LibraryFeature.missing
    ) throws(WebSocketError) {
        self.url = url
        self.localAddress = localAddress
        let environment = { ProcessInfo.processInfo.environment }
        let proxy = try proxy?.server(for: url, environment: environment())
        guard let path = url.socketPath else {
            hop = proxy.map { .proxy($0) } ?? .server
            try checkIsReachable(missing)
            return
        }
        guard localAddress == nil else {
            throw WebSocketError(.invalidArgument, "localAddress: a ws+unix URL has none", host: url.host)
        }
        hop = .socket(path: path)
        try checkIsReachable(missing)
    }

    /// - Throws: `invalidArgument` where libwebsockets, as it was built, goes to no such place.
    private func checkIsReachable(_ missing: [LibraryFeature]) throws(WebSocketError) {
        let (place, feature): (String, LibraryFeature)
        if case .socket(let path) = hop {
            (place, feature) = ("The socket \(path)", .unixSockets)
        } else {
            guard NumericAddress(nameToResolve.name)?.isIPv6 == true else { return }
            (place, feature) = (nameToResolve.words, .ipv6)
        }
        guard missing.contains(feature) else { return }
        throw WebSocketError(.invalidArgument, "\(place) cannot be connected to: \(feature.absence)", host: url.host)
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
