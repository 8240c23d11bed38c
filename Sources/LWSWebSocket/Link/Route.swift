// Which way a connection takes to the server of its URL.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What is connected to, and from which address.
struct Route: Sendable, Hashable {
    enum Hop: Sendable, Hashable {
        /// The server itself.
        case server
        case proxy(ProxyServer)
        /// The server itself, by a socket in the file system.
        case socket(path: String)
    }

    var hop = Hop.server
    /// An address of this machine, or the name of an interface.
    var localAddress: String?

    /// The way that the configuration asks for. Reads the environment where that is wanted.
    init(to url: WebSocketURL, _ configuration: ClientConfiguration) throws(WebSocketError) {
        localAddress = configuration.localAddress
        if let path = url.socketPath {
            guard localAddress == nil else {
                throw WebSocketError(
                    .invalidArgument, "localAddress: a ws+unix URL has none", host: url.host)
            }
            hop = .socket(path: path)
        }
        let environment = { ProcessInfo.processInfo.environment }
        if let server = try configuration.proxy?.server(for: url, environment: environment()) { hop = .proxy(server) }
    }

    init() {}

    var proxy: ProxyServer? {
        if case .proxy(let server) = hop { server } else { nil }
    }

    /// Where there is nothing to look up: a socket's place in lws's form of it
    /// (`lws_client_connect_3_connect`: "+/path").
    var fixedAddress: ResolvedAddress? {
        if case .socket(let path) = hop { ResolvedAddress(numeric: "+\(path)") } else { nil }
    }

    /// What is looked up, and its words for errors.
    func nameToResolve(for url: WebSocketURL) -> (name: String, words: String) {
        if let proxy { (proxy.host, "The proxy \(proxy.host)") } else { (url.host, "The host \(url.host)") }
    }
}
