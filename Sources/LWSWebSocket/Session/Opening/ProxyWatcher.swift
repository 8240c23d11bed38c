// Sees what a proxy answers before lws does.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Looks at what a proxy answers to CONNECT, while lws is kept from reading.
///
/// lws takes whatever its first read gives for the whole answer: one in two pieces fails, or its second piece is taken
/// for the server's; and lws 4.1 does not say which status a refusal has (client-http.c, LRS_WAITING_PROXY_REPLY). So
/// lws may read when the whole head is there, which is looked at without taking it out of the socket.
///
/// What the proxy is asked is not lws's request either, which ends after 255 bytes, holds 92 bytes of credentials, and writes
/// "basic" where there are proxies that know "Basic" alone. lws writes it when the callback for a connected socket has
/// returned, and there is nothing that could keep it from that; so it goes elsewhere.
final class ProxyWatcher: ArrivalWatcher, PassFinisher {
    private let descriptor: Int32
    /// Until the proxy has answered; see ``ReachingWatch``.
    private var session: ClientSession?
    private let request: [UInt8]
    private var diversion: WriteDiversion?
    private var ticket: ArrivalWatch.Ticket?

    /// TCP is connected, and lws is about to write its request.
    init(
        _ connecting: OpaquePointer, _ session: ClientSession, asking request: [UInt8], _ held: borrowing HeldLoop
    ) {
        descriptor = lws_get_socket_fd(connecting)
        self.session = session
        self.request = request
        diversion = WriteDiversion(of: descriptor)
        lws_rx_flow_control(connecting, 0)
        held.whenPassEnds(self)
    }

    /// lws has written it. Sends the one that the proxy is to get.
    func passEnds(_ held: borrowing HeldLoop) {
        guard let session, session.wsi != nil else { return }
        guard let diversion else { return session.cannotWatch(held) }
        diversion.end()
        self.diversion = nil
        guard Socket.send(request, to: descriptor) else { return session.proxyRequestFailed(held) }
        ticket = held.resident(ArrivalWatch.self)?.watch(descriptor, each: true, self)
        if ticket == nil { session.cannotWatch(held) }
    }

    /// What has come so far.
    func look() -> (answer: ProxyAnswer, hasEnded: Bool) {
        var bytes = [UInt8](repeating: 0, count: ProxyAnswer.longest)
        // Before the look at the bytes, which are complete then.
        let hasEnded = SocketPoll.hasEnded(descriptor)
        let count = bytes.withUnsafeMutableBytes { Socket.receive(into: $0, from: descriptor) }
        let isBroken = count < 0 && errno != EAGAIN
        return (ProxyAnswer(bytes.prefix(max(0, count))), hasEnded || isBroken)
    }

    /// To be called before lws closes the socket.
    func stop(_ held: borrowing HeldLoop) {
        session = nil
        diversion?.abandon()
        guard let ticket else { return }
        self.ticket = nil
        held.resident(ArrivalWatch.self)?.stop(ticket)
    }

    func arrived(_ held: borrowing HeldLoop) { session?.proxyAnswered(self, held) }
}

extension ClientSession {
    /// TCP to the proxy is connected.
    func askProxy(_ wsi: OpaquePointer, _ proxy: ProxyServer, _ held: borrowing HeldLoop) {
        // The address has proved itself, as in `appendHeaders`.
        addresses = []
        role.reached(.proxy(proxy.name))
        let watcher = ProxyWatcher(wsi, self, asking: proxy.request(for: url, userAgent: role.userAgent), held)
        // Where the connection was given up, what lws writes goes nowhere.
        if !enter(.proxy(watcher)) { watcher.stop(held) }
    }

    /// The system has not taken what the proxy is asked.
    fileprivate func proxyRequestFailed(_ held: borrowing HeldLoop) {
        failure = proxyError(.incomplete, hasEnded: true)
        abort(held)
    }

    /// The proxy has said something, or has ended the connection.
    fileprivate func proxyAnswered(_ watcher: ProxyWatcher, _ held: borrowing HeldLoop) {
        guard let wsi else { return }
        let (answer, hasEnded) = watcher.look()
        guard answer != .accepted else {
            watcher.stop(held)
            secure(held)
            lws_rx_flow_control(wsi, 1)
            return
        }
        guard let refusal = proxyError(answer, hasEnded: hasEnded) else { return }
        failure = refusal
        abort(held)
    }

    /// Returns whether the proxy is to blame for the end of the attempt, which then has its error.
    func proxyFailed(_ detail: String) -> Bool {
        guard let proxy = route.proxy else { return false }
        if case .proxy(let watcher) = phase {
            // Perhaps nobody has looked yet.
            failure = proxyError(watcher.look().answer, hasEnded: true)
            guard failure == nil else { return true }
        }
        // There are lws's words: those of 4.1 ("proxy not h1"), and of later releases.
        guard detail.hasPrefix("proxy ") || detail.hasPrefix("http_proxy") else { return false }
        let what =
            phase.hasReachedServer ? "ended the connection after it had agreed to it" : "did not make the tunnel"
        failure = error(.connection, "The proxy \(proxy.name) \(what)", detail: detail)
        return true
    }

    private func proxyError(_ answer: ProxyAnswer, hasEnded: Bool) -> WebSocketError? {
        guard let proxy = route.proxy else { return nil }
        let (name, host, port) = (proxy.name, url.host, url.port)
        switch answer {
        case .accepted: return nil
        case .incomplete:
            guard hasEnded else { return nil }
            return error(.connection, "The proxy \(name) ended the connection before it answered")
        case .invalid:
            return error(
                .connection, "The proxy \(name) did not answer with a valid HTTP response; is it an HTTP proxy?")
        case .refused(let status):
            let hint =
                switch status {
                case 407 where proxy.username == nil: "; it asks for a username and password"
                case 407: "; check the proxy's username and password"
                default: ""
                }
            return WebSocketError(
                .connection,
                "The proxy \(name) refused to connect to \(host), port \(port), with status \(status)\(hint)",
                host: host, httpResponse: HTTPResponse(status: .init(code: status)))
        }
    }
}
