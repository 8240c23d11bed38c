// The HTTP proxy that a client connects through: what it is asked, and what it answers.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// An HTTP proxy, which is asked with CONNECT (RFC 9110, section 9.3.6) for a tunnel to the server, for `ws:` and
/// `wss:` alike. The proxy is reached without TLS.
///
/// The proxy resolves the server's name; the client resolves the proxy's. libwebsockets 4.5.3 and newer, and some
/// older ones as distributions have patched them (Debian since 4.3.5-4), reach a proxy by an IPv4 address alone; a proxy that
/// has none is an error then, `invalidArgument` where its address was given, `connection` where its name was looked up.
public struct Proxy: Sendable, Hashable {
    /// Indirect, for most clients have none and keep room for it.
    indirect enum Choice: Sendable, Hashable {
        case server(ProxyServer)
        case environment
    }

    let choice: Choice

    /// A proxy.
    /// - Parameters:
    ///   - host: a name, or an address without brackets.
    ///   - port: from 1 to 65535.
    ///   - username: for `Proxy-Authorization: Basic` (RFC 7617); `nil`: none is sent. It cannot hold a colon.
    ///   - password: goes with the user name; `nil` means an empty one. Both have 4095 bytes together at most.
    ///
    /// What is not valid is thrown as `invalidArgument` when a client is made with it.
    public init(host: String, port: Int, username: String? = nil, password: String? = nil) {
        choice = .server(ProxyServer(host: host, port: port, username: username, password: password))
    }

    private init(_ choice: Choice) { self.choice = choice }

    /// What the environment says, read when the client is made: `http_proxy` for `ws:`, `https_proxy` or `HTTPS_PROXY`
    /// for `wss:`, else `all_proxy` or `ALL_PROXY`; none for the hosts listed in `no_proxy` or `NO_PROXY`.
    ///
    /// A proxy is written `http://user:password@host:port`, or `host:port`; the port is 80 where it is not given, and
    /// `%40` stands for an @ in the credentials. `no_proxy` is a list with commas of names, which stand for the names
    /// below them as well (`example.com` and `.example.com` alike), addresses, and `*` for every host; each may be
    /// followed by `:port`. Ranges of addresses (`10.0.0.0/8`) are not understood and match nothing. A variable that
    /// cannot be understood is `invalidArgument`. `HTTP_PROXY` is not read, because a server may be made to set it
    /// by a request's `Proxy` field. The environment does not apply to `ws+unix:` URLs.
    public static let environment = Proxy(.environment)

    /// The proxy for `url`, checked; `nil` where there is none.
    func server(
        for url: WebSocketURL, environment: @autoclosure () -> [String: String]
    ) throws(WebSocketError) -> ProxyServer? {
        guard url.socketPath == nil else {
            if choice == .environment { return nil }
            throw WebSocketError(
                .invalidArgument, "proxy: a ws+unix URL is not reached through a proxy", host: url.host)
        }
        let server: ProxyServer?
        switch choice {
        case .server(let given): server = given
        case .environment: server = try ProxyEnvironment(environment()).server(for: url)
        }
        try server?.validate()
        return server
    }

    /// Checks what does not depend on the URL.
    func validate() throws(WebSocketError) {
        if case .server(let server) = choice { try server.validate() }
    }
}

extension Proxy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the credentials.
    public var description: String {
        switch choice {
        case .server(let server): server.name
        case .environment: "environment"
        }
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Shows nothing of what is inside, for a password may be.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// One proxy with what it is told.
struct ProxyServer: Sendable, Hashable, CustomReflectable {
    let host: String
    let port: Int
    var username: String?
    var password: String?

    /// For errors: never with the credentials.
    var name: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Shows nothing of what is inside, as that of ``Proxy``.
    var customMirror: Mirror { Mirror(self, children: [:]) }

    /// As RFC 7617 writes them.
    var credentials: String? { username.map { "\($0):\(password ?? "")" } }

    /// In bytes, with the colon: more than proxies take, and less than a system takes of a request at once.
    static let longestCredentials = 4096

    func validate() throws(WebSocketError) {
        guard !host.isEmpty, WebSocketURL.isHostName(host) || NumericAddress(host) != nil else {
            throw WebSocketError(.invalidArgument, "proxy: its host is not a name or address")
        }
        guard (1...65535).contains(port) else {
            throw WebSocketError(.invalidArgument, "proxy: its port is not a number from 1 to 65535")
        }
        guard password == nil || username != nil else {
            throw WebSocketError(.invalidArgument, "proxy: there is a password but no username")
        }
        guard let username, let credentials else { return }
        guard !username.isEmpty, !username.contains(":") else {
            throw WebSocketError(
                .invalidArgument, "proxy: the username is empty or has a colon (RFC 7617, section 2)")
        }
        guard !credentials.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw WebSocketError(.invalidArgument, "proxy: the credentials have a control character")
        }
        guard credentials.utf8.count <= Self.longestCredentials else {
            throw WebSocketError(
                .invalidArgument,
                "proxy: username and password have more than \(Self.longestCredentials - 1) bytes together")
        }
    }

    // MARK: - What a proxy is asked for

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

// MARK: - What a proxy says to CONNECT

/// The answer to a CONNECT request, as far as it has arrived.
enum ProxyAnswer: Equatable {
    case incomplete
    /// The tunnel stands: what follows the answer's head comes from the server.
    case accepted
    case refused(status: Int)
    /// No HTTP/1 answer, or one of more than ``longest`` bytes.
    case invalid

    /// Bytes that an answer's head may have.
    static let longest = 16384

    init(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let start = Array("HTTP/1.".utf8)
        guard zip(bytes, start).allSatisfy(==) else {
            self = .invalid
            return
        }
        guard bytes.indices.dropLast(3).contains(where: { bytes[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) }) else {
            self = bytes.count < Self.longest ? .incomplete : .invalid
            return
        }
        let line = bytes.prefix { $0 != UInt8(ascii: "\r") }
        let status = String(decoding: line.dropFirst(9).prefix(3), as: UTF8.self)
        guard line.count >= 12, line[8] == UInt8(ascii: " "), let code = Int(status), (100...599).contains(code)
        else {
            self = .invalid
            return
        }
        // What lws takes, byte by byte (lib/roles/http/client/client-http.c, LRS_WAITING_PROXY_REPLY).
        let isAccepted = ["HTTP/1.0 200 ", "HTTP/1.1 200 "].contains { line.starts(with: $0.utf8) }
        self = isAccepted ? .accepted : .refused(status: code)
    }
}

// MARK: - The proxy that the environment names

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
