// The proxy that the environment names.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The variables of the environment that name proxies, and the hosts to be reached without one.
struct ProxyEnvironment {
    private let variables: [String: String]

    init(_ variables: [String: String]) { self.variables = variables }

    func server(for url: WebSocketURL) throws(WebSocketError) -> ProxyServer? {
        let names = (url.isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]) + ["all_proxy", "ALL_PROXY"]
        guard let (name, value) = first(of: names), !isExempt(url) else { return nil }
        return try Self.server(value, from: name)
    }

    /// The first that is set and not empty.
    private func first(of names: [String]) -> (name: String, value: String)? {
        for name in names {
            if let value = variables[name]?.trimming(\.isWhitespace), !value.isEmpty { return (name, value) }
        }
        return nil
    }

    private static func server(_ value: String, from name: String) throws(WebSocketError) -> ProxyServer {
        // Nothing of the value is shown: a password may be anywhere in it.
        func invalid(_ what: String) -> WebSocketError {
            WebSocketError(.invalidArgument, "proxy: the environment's \(name) is not valid: \(what)")
        }
        let hasScheme = value.contains("://")
        guard let parts = URLComponents(string: hasScheme ? value : "http://\(value)") else {
            throw invalid("it should look like http://host:port")
        }
        guard parts.scheme?.lowercased() == "http" else {
            throw invalid("only proxies with the scheme http are supported")
        }
        var host = parts.encodedHost ?? ""
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let hasDigits = parts.rangeOfPort.map { !$0.isEmpty } ?? false
        guard !host.isEmpty, hasDigits == (parts.port != nil), parts.path.isEmpty || parts.path == "/",
            parts.query == nil, parts.fragment == nil
        else { throw invalid("it should look like http://host:port") }
        let username = parts.percentEncodedUser?.percentDecoded
        let password = parts.percentEncodedPassword?.percentDecoded
        guard (username == nil) == (parts.percentEncodedUser == nil),
            (password == nil) == (parts.percentEncodedPassword == nil)
        else { throw invalid("its credentials are not UTF-8") }
        let server = ProxyServer(
            host: host.replacing("%25", with: "%"), port: parts.port ?? 80, username: username, password: password)
        do throws(WebSocketError) {
            try server.validate()
        } catch {
            throw invalid(String(error.description.dropFirst("proxy: ".count)))
        }
        return server
    }

    /// Whether the host is to be reached directly.
    private func isExempt(_ url: WebSocketURL) -> Bool {
        guard let list = first(of: ["no_proxy", "NO_PROXY"])?.value else { return false }
        return list.split(separator: ",").contains { Self.matches($0.trimming(\.isWhitespace).lowercased(), url) }
    }

    private static func matches(_ entry: String, _ url: WebSocketURL) -> Bool {
        if entry == "*" { return true }
        var (name, port) = (entry, Substring?.none)
        if entry.hasPrefix("["), let bracket = entry.firstIndex(of: "]") {
            name = String(entry[entry.index(after: entry.startIndex)..<bracket])
            let rest = entry[entry.index(after: bracket)...]
            port = rest.hasPrefix(":") ? rest.dropFirst() : nil
        } else if let colon = entry.firstIndex(of: ":"), colon == entry.lastIndex(of: ":") {
            // More than one colon is an IPv6 address.
            name = String(entry[..<colon])
            port = entry[entry.index(after: colon)...]
        }
        if let port, Int(port) != url.port { return false }
        if let address = NumericAddress(name) { return address == NumericAddress(url.host) }
        let suffix = name.hasPrefix(".") ? String(name.dropFirst()) : name
        guard !suffix.isEmpty, NumericAddress(url.host) == nil else { return false }
        var host = url.host.lowercased()
        if host.hasSuffix(".") { host.removeLast() }
        return host == suffix || host.hasSuffix("." + suffix)
    }
}
