// A WebSocket URL, taken apart and checked.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A `ws:` URL (RFC 6455, section 3) in the parts that connecting needs, or one of a server that listens on a socket of
/// the file system: `ws+unix:///path/of/socket:/request/path?query`, as Node's `ws` writes them.
struct WebSocketURL: Sendable, Equatable {
    let isSecure: Bool
    /// What is looked up and named in errors: without the brackets of an IPv6 address. The path of a socket where there
    /// is one.
    let host: String
    let port: Int
    /// What the Host field says: the port only where it is not the scheme's own.
    let authority: String
    /// Path and query, percent-encoded; at least "/".
    let target: String
    /// Where the server's socket is in the file system, for `ws+unix:`.
    let socketPath: String?

    /// - Throws: ``WebSocketError/Code/invalidArgument`` with what is wrong.
    init(_ text: String) throws(WebSocketError) {
        func invalid(_ what: String) -> WebSocketError {
            // Not the whole text: it may hold a password or a token.
            WebSocketError(.invalidArgument, "The URL is not valid: \(what)")
        }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw invalid("it has a line break or another control character")
        }
        // Blanks come along where a URL is copied.
        let text = text.trimmingBlanks.percentCompleted
        guard let components = URLComponents(string: text) else {
            throw invalid("it cannot be parsed; it should look like ws://host:port/path")
        }
        guard let scheme = components.scheme?.lowercased(), ["ws", "wss", "ws+unix"].contains(scheme) else {
            throw invalid("its scheme is \(components.scheme ?? "missing"), not ws, wss or ws+unix")
        }
        isSecure = scheme == "wss"
        guard components.user == nil, components.password == nil else {
            throw invalid("it has user information before the host; give credentials in the configuration")
        }
        guard components.fragment == nil else {
            throw invalid("it has a fragment (#…), which RFC 6455, section 3 does not allow")
        }
        let query = components.percentEncodedQuery.map { "?\($0)" } ?? ""
        let path = components.percentEncodedPath
        if scheme == "ws+unix" {
            guard (components.encodedHost ?? "").isEmpty, components.port == nil else {
                throw invalid("a ws+unix URL has no host; it should look like ws+unix:///path/of/socket:/path")
            }
            let parts = path.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let socket = try Self.socketPath(String(parts[0]), invalid)
            let request = parts.count == 2 ? String(parts[1]) : ""
            guard request.isEmpty || request.hasPrefix("/") else {
                throw invalid("the path of its request, behind the colon, does not begin with a slash")
            }
            socketPath = socket
            host = socket
            port = 80
            authority = "localhost"
            target = (request.isEmpty ? "/" : request) + query
            return
        }
        socketPath = nil
        let name = components.encodedHost ?? ""
        guard !name.isEmpty else { throw invalid("its host is empty") }
        let isIPv6 = name.hasPrefix("[") && name.hasSuffix("]")
        let bare = isIPv6 ? name.dropFirst().dropLast() : name[...]
        // A zone is written %25zone in a URL (RFC 6874) and %zone for the system.
        host = isIPv6 ? String(bare.replacing("%25", with: "%")) : String(bare)
        guard isIPv6 ? NumericAddress(host)?.isIPv6 == true : Self.isHostName(host) else {
            throw invalid(
                "its host \(host.debugDescription) is not a name or address")
        }
        let defaultPort = isSecure ? 443 : 80
        port = components.port ?? defaultPort
        // Where the number is too large for an Int, there is a range but no port.
        let hasDigits = components.rangeOfPort.map { !$0.isEmpty } ?? false
        guard (1...65535).contains(port), hasDigits == (components.port != nil) else {
            throw invalid("its port is not a number from 1 to 65535")
        }
        // The zone means nothing to the server (RFC 6874, section 4).
        let literal = isIPv6 ? "[\(bare.prefix { $0 != "%" })]" : name
        authority = port == defaultPort ? literal : "\(literal):\(port)"
        target = (path.isEmpty ? "/" : path) + query
    }

    /// A path that fits into the system's sockaddr_un with the NUL behind it. Percent-encoding stands for what could
    /// not be written otherwise, such as a colon.
    private static func socketPath(
        _ encoded: String, _ invalid: (String) -> WebSocketError
    ) throws(WebSocketError) -> String {
        guard let path = encoded.percentDecoded,
            !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else { throw invalid("its socket's path has a control character, or is not UTF-8") }
        guard path.hasPrefix("/"), path != "/" else {
            throw invalid("its socket's path is not absolute; it should look like ws+unix:///path/of/socket:/path")
        }
        let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        guard path.utf8.count <= longest else {
            throw invalid("its socket's path has \(path.utf8.count) bytes; the system allows \(longest)")
        }
        return path
    }

    /// Letters, digits, hyphens, dots and underscores, of at most 253 bytes (RFC 1035, section 2.3.4). A dot at the
    /// beginning would mean any subdomain to OpenSSL.
    static func isHostName(_ text: String) -> Bool {
        text.utf8.count <= 253 && !text.hasPrefix(".")
            && text.utf8.allSatisfy { $0.isAlphanumeric || "-._".utf8.contains($0) }
    }
}

extension WebSocketURL {
    /// Where the server is, without what it is asked for.
    var origin: String { socketPath.map { "ws+unix://\($0)" } ?? "\(isSecure ? "wss" : "ws")://\(authority)" }

    /// Whether scheme, host and port are the same (RFC 6454, section 5).
    func hasOrigin(of other: WebSocketURL) -> Bool {
        isSecure == other.isSecure && host.lowercased() == other.host.lowercased() && port == other.port
    }

    /// What a Location means that came from here (RFC 9110, section 10.2.2): a URL or a reference relative to this
    /// one. The schemes of HTTP, which the handshake is, stand for their WebSocket counterparts; a fragment means
    /// nothing here.
    func resolving(_ location: String) throws(WebSocketError) -> WebSocketURL {
        // With the zone of an IPv6 address, which the authority leaves out (RFC 6874).
        let literal = host.contains(":") ? "[\(host.replacing("%", with: "%25"))]" : host
        let base = URL(string: "\(isSecure ? "wss" : "ws")://\(literal):\(port)\(target)")
        let reference = location.prefix { $0 != "#" }
        guard !reference.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }),
            let url = URL(string: reference.percentCompleted, relativeTo: base)
        else { throw WebSocketError(.invalidArgument, "The URL is not valid: it cannot be parsed") }
        let text = url.absoluteString
        guard let colon = text.firstIndex(of: ":") else { return try WebSocketURL(text) }
        let scheme =
            switch text[..<colon].lowercased() {
            case "http": "ws"
            case "https": "wss"
            default: String(text[..<colon])
            }
        return try WebSocketURL(scheme + text[colon...])
    }
}
