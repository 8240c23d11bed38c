// Where one attempt to connect goes, redirect by redirect.

internal import HTTPTypes
internal import LWSServiceLoop

/// Where an attempt goes to, and what it asks there.
struct Destination: Sendable {
    let request: HandshakeRequest
    /// The way there.
    let route: Route
    /// How TLS is done, where it is.
    @Boxed private(set) var secureSocket: ClientSecureSocket?
    /// Redirects so far.
    private let hops: Int
    /// A redirect has led away from the origin of the client's URL.
    let hasLeftOrigin: Bool
    var url: WebSocketURL { route.url }

    /// - Throws: `invalidArgument` where the request cannot be sent.
    init(to url: WebSocketURL, _ configuration: ClientConfiguration) throws(WebSocketError) {
        try self.init(to: url, configuration, hops: 0, hasLeftOrigin: false)
    }

    private init(
        to url: WebSocketURL, _ configuration: ClientConfiguration, hops: Int, hasLeftOrigin: Bool
    ) throws(WebSocketError) {
        request = try HandshakeRequest(url: url, configuration, toOtherOrigin: hasLeftOrigin)
        route = try Route(to: url, through: configuration.proxy, from: configuration.localAddress)
        let settings = configuration.secureSocket ?? ClientSecureSocket()
        secureSocket = url.isSecure ? (hasLeftOrigin ? settings.forOtherOrigin : settings) : nil
        self.hops = hops
        self.hasLeftOrigin = hasLeftOrigin
    }

    /// Where a redirect leads; `nil` where the failure is none, or none is to be followed.
    ///
    /// Credentials stay with the origin they were given for (RFC 9110, section 15.4): once another has been visited,
    /// the request no longer has them, for the way back is that other server's choice.
    /// - Throws: `invalidHandshake` with the answer, for one redirect too many and for a Location that cannot be used.
    func redirected(
        by failure: WebSocketError, _ configuration: ClientConfiguration
    ) throws(WebSocketError) -> Destination? {
        // A server on a socket of the file system has no origin to compare, and leads nowhere else.
        guard configuration.followRedirects > 0, url.socketPath == nil, failure.code == .invalidHandshake,
            let response = failure.httpResponse, [301, 302, 303, 307, 308].contains(response.status.code)
        else { return nil }
        func refused(_ why: String) -> WebSocketError {
            WebSocketError(
                .invalidHandshake, "\(url.host) redirected the WebSocket handshake (\(response.status.code)) \(why)",
                host: url.host, httpResponse: response, httpResponseBody: failure.httpResponseBody,
                libraryDetail: failure.libraryDetail)
        }
        guard hops < configuration.followRedirects else {
            throw refused("once more than the \(configuration.followRedirects) times that followRedirects allows")
        }
        guard let location = response.headerFields[.location], !location.isEmpty else {
            throw refused("without a Location")
        }
        do throws(WebSocketError) {
            let next = try url.resolving(location)
            guard next.socketPath == nil else { throw refused("to a socket of this machine") }
            guard next.isSecure || !url.isSecure else { throw refused("from wss: to ws:, which is not safe") }
            return try Destination(
                to: next, configuration, hops: hops + 1, hasLeftOrigin: hasLeftOrigin || !next.hasOrigin(of: url))
        } catch {
            // What a server sends is no mistake in an argument of the caller's.
            throw error.code == .invalidArgument ? refused("to a Location that cannot be used: \(error)") : error
        }
    }
}

extension HandshakeRequest {
    /// What a configuration asks for.
    /// - Parameter toOtherOrigin: the application's fields and cookies are meant for another server, and stay out.
    fileprivate convenience init(
        url: WebSocketURL, _ configuration: ClientConfiguration, toOtherOrigin: Bool
    ) throws(WebSocketError) {
        var fields = toOtherOrigin ? [:] : configuration.customHeaders
        let host = HTTPField.Name("Host").flatMap { name -> String? in
            defer { fields[name] = nil }
            return fields[name]
        }
        // HTTPFields keeps every cookie as a field of its own, as HTTP/2 likes it; HTTP/1.1 has one field of them
        // (RFC 6265, section 5.4).
        let cookies = [fields[.cookie], toOtherOrigin ? nil : Cookie.field(configuration.cookies)]
        fields[.cookie] = nil
        fields.completeUserAgent(of: configuration.customHeaders)
        let isCompressed = configuration.webSocketCompressionEnabled && LibraryFeature.compression.isPresent
        try self.init(
            target: url.target, authority: host ?? url.authority, fields: fields, cookies: cookies.compactMap(\.self),
            subProtocols: configuration.subProtocols, compression: isCompressed ? configuration.compression : nil,
            host: url.host)
    }
}
