// What a proxy is asked for.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension ProxyServer {
    /// The request for a tunnel to the server of a URL (RFC 9110, section 9.3.6), with the credentials as RFC 7617 writes them.
    /// - Parameter userAgent: as the request in the tunnel has it.
    func request(for url: WebSocketURL, userAgent: String?) -> [UInt8] {
        let place = "\(Self.target(url)):\(url.port)"
        var lines = ["CONNECT \(place) HTTP/1.1", "Host: \(place)"]
        if let userAgent { lines.append("User-Agent: \(userAgent)") }
        if let credentials {
            // There are proxies that know the scheme in this spelling alone.
            lines.append("Proxy-Authorization: Basic \(Data(credentials.utf8).base64EncodedString())")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// The host of the URL as CONNECT names it: an IPv6 address in brackets, without its zone, which means nothing
    /// elsewhere.
    static func target(_ url: WebSocketURL) -> String {
        url.host.contains(":") ? "[\(url.host.prefix { $0 != "%" })]" : url.host
    }
}
