// Session/: connections on libwebsockets: the one room that calls it.
//
// Holds: a connection as it lives on the loop (ClientSession, libwebsockets' user pointer), the callbacks that lead to it, the
// way to it from other threads (ClientTransport), and the vhosts that connections are made from. Everything needs the loop
// (HeldLoop) but for ClientTransport and UnheldSend. Opening/ has the way to an answer, WebSocket/ what follows it.
// Used by: Reconnecting, Auth.
// Uses: Addressing, Compression, Connection, Errors, Events, HTTP, Loop, Messages, TLS, Utilities; CLibWebSockets, HTTPTypes,
// Logging, LWSPayload, LWSServiceLoop.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Connects to the addresses in turn, through a proxy and with TLS where that is wanted, until a request is on its way to
/// the server; its ``Role`` says which, and deals with what comes back. How far all that is says its ``Phase``. Lives on the
/// loop: whoever calls a method holds it.
///
/// lws's user pointer of the connection is this object. Each attempt retains it when it is handed to lws
/// (`begin`) and releases it when lws has forgotten it (`attemptEnded`).
final class ClientSession {
    let role: Role
    let route: Route
    var url: WebSocketURL { route.url }
    let deadline: Deadline
    /// What a connection over TLS is made from.
    let tlsContext: TLSContext?
    /// Keeps the loop running for as long as this is.
    private(set) var lease: LoopLease?

    private(set) var phase = Phase.idle
    /// Where has not been tried yet.
    var addresses: [ResolvedAddress]
    /// Where the attempt under way goes to.
    var address: ResolvedAddress?
    /// What the attempts are made with, shared with others that have the same key.
    var vhost: ClientVhost?
    /// lws's handle of the attempt under way or of the open connection. `nil` inside the call that begins an attempt.
    var wsi: OpaquePointer?
    /// Its socket, where the loop waits for it by itself.
    var socket: WatchedSocket?
    /// The TLS of the attempt under way or of the open connection.
    var tls: TLSHandshake?
    /// What the connection is given time for: to be reached, to agree on TLS, or to end.
    private var limitTimer: LoopTimer?
    /// Why the attempt under way, or the last one, failed, as far as is known.
    @Boxed var failure: WebSocketError?
    /// What the server has answered.
    var answerHead: ResponseHead?
    /// Its body, or the beginning.
    var responseBody: [UInt8]?

    init(
        as role: Role, by route: Route, to addresses: [ResolvedAddress], until deadline: Deadline,
        tls tlsContext: TLSContext?, lease: LoopLease
    ) {
        self.role = role
        self.route = route
        self.addresses = addresses
        self.deadline = deadline
        self.tlsContext = tlsContext
        self.lease = lease
    }

    // MARK: - How far it is

    /// Returns false where it was given up meanwhile, or is over.
    @discardableResult
    func enter(_ next: Phase) -> Bool {
        switch phase {
        case .givenUp, .over: return false
        default: break
        }
        phase = next
        return true
    }

    /// Has `act` called after some time, and nothing of what time was given for before.
    func allow(_ time: Duration, _ held: borrowing HeldLoop, _ act: @escaping (borrowing HeldLoop) -> Void) {
        stopLimit(held)
        let timer = LoopTimer(act)
        timer.arm(after: time, held)
        limitTimer = timer
    }

    func stopLimit(_ held: borrowing HeldLoop) {
        limitTimer?.cancel(held)
        limitTimer = nil
    }

    // MARK: - What lws reports

    /// `false` makes lws end the connection.
    func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ held: borrowing HeldLoop
    ) -> Bool {
        if reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR, case .connecting = phase {
            // Before lws closes the socket, which a forked child may keep open.
            phase.stopWatching(held)
        }
        return role.handle(reason, wsi, argument, self, held)
    }

    /// lws changes what it waits for on the connection's socket.
    func waitChanged(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        socket?.mark(held)
        guard phase.isEstablished, case .webSocket(let role) = role else { return }
        role.waitChanged(wsi, self, held)
    }

    // MARK: - The end

    /// The connection is about to end, if it is open: how, only lws knows from here on.
    func ends(_ held: borrowing HeldLoop) {
        guard case .open = phase else { return }
        enter(.closing)
        if case .webSocket(let role) = role { role.ends(self, held) }
    }

    /// Ends the connection without a close frame and without flushing: lws treats an expired timeout as a "violent
    /// death" (core-net/wsi-timeout.c, lws_sul_wsitimeout_cb), and this one expires in the next pass.
    func abort(_ held: borrowing HeldLoop) {
        ends(held)
        phase.stopWatching(held)
        if !phase.isEstablished { enter(.givenUp) }
        guard let wsi else { return }
        held.noteWork()
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_async)
    }

    /// Ends a connection that has not ended by itself by then.
    func endAfter(_ time: Duration, _ held: borrowing HeldLoop) {
        guard wsi != nil else { return }
        ends(held)
        // Not by lws's own way of ending, which first tries for 5 s to send what it holds.
        allow(time, held) { [unowned self] held in abort(held) }
    }

    /// Tells how it went. Nothing happens on the loop after this.
    func finish(_ held: borrowing HeldLoop) {
        guard lease != nil else { return }
        // lws does not report every end of an attempt.
        if !phase.isEstablished, !phase.isGivenUp, failure == nil { _ = securingFailed("") }
        role.ended(self, held)
        phase = .over
        if vhost != nil, let loop = lease?.loop {
            // In a later turn: lws may be in the midst of ending the connection.
            let key = vhostKey
            vhost = nil
            loop.perform { held in held.resident(ClientVhostPool.self)?.release(key, held) }
        }
        lease = nil
    }

    var response: HTTPResponse? { answerHead?.response }

    var vhostKey: VhostKey { VhostKey(proxyPort: route.proxy?.port, tls: tlsContext) }

    func error(_ code: WebSocketError.Code, _ message: String, detail: String? = nil, isTransient: Bool = false)
        -> WebSocketError
    {
        let body = responseBody.flatMap { $0.isEmpty ? nil : $0 }
        return WebSocketError(
            code, message, host: url.host, httpResponse: response, httpResponseBody: body,
            libraryDetail: detail, isTransient: isTransient)
    }
}

extension ClientSession: PassFinisher, PassStarter {
    func passEnds(_ held: borrowing HeldLoop) {
        guard case .webSocket(let role) = role else { return }
        role.handOver(self, held)
        if held.lackedMemory { role.mayHaveLostInput(self, held) }
    }

    func passBegins(_ held: borrowing HeldLoop) {
        if case .webSocket(let role) = role { role.tellPostponed(self, held) }
    }
}

// MARK: - How far a connection is

extension ClientSession {
    /// | phase | what is waited for | what comes next |
    /// |---|---|---|
    /// | `idle` | nothing: lws knows of no connection | `connecting` to the next address; `over` where there is none |
    /// | `connecting` | TCP, to the address or to the proxy there | `proxy`, `securing`; `idle` where it fails |
    /// | `proxy` | what the proxy answers to CONNECT | `securing` |
    /// | `securing` | TLS, where there is any, and that lws sends the request | `asking`; `idle` where it fails |
    /// | `asking` | what the server answers | `upgrading`, or the answer is all there is |
    /// | `upgrading` | that lws has read the answer, with 101 | `open` |
    /// | `open` | messages | `closing` |
    /// | `closing` | the end of TCP | `over` |
    /// | `givenUp` | that lws ends it in its next pass, if it knows of it: it has failed, or nobody needs it any more | `over` |
    /// | `over` | nothing | |
    ///
    /// Any phase in front of `open` may be followed by `givenUp`, and each by `over` when lws ends the connection.
    enum Phase {
        case idle
        case connecting(ReachingWatch?)
        case proxy(ProxyWatcher)
        case securing
        case asking(AnswerReader)
        case upgrading(AnswerReader)
        case open
        case closing
        case givenUp
        case over
    }
}

extension ClientSession.Phase {
    /// The server has agreed to the upgrade, and those who use the connection have yet to hear of its end.
    var isEstablished: Bool {
        switch self {
        case .open, .closing: true
        default: false
        }
    }

    var isGivenUp: Bool {
        if case .givenUp = self { true } else { false }
    }

    var isIdle: Bool {
        if case .idle = self { true } else { false }
    }

    /// Whether what goes wrong may be the address's fault. With a proxy there is no other address by then.
    var mayTryNext: Bool {
        switch self {
        case .connecting, .securing: true
        default: false
        }
    }

    /// Whether the way to the server is there: the proxy has agreed to the connection, where there is one.
    var hasReachedServer: Bool {
        switch self {
        case .securing, .asking, .upgrading, .open, .closing: true
        default: false
        }
    }

    /// Has nobody look at the socket any more. To be called before lws closes it.
    func stopWatching(_ held: borrowing HeldLoop) {
        switch self {
        case .connecting(let watch): watch?.stop(held)
        case .proxy(let watcher): watcher.stop(held)
        case .asking(let reader), .upgrading(let reader): reader.stop(held)
        case .idle, .securing, .open, .closing, .givenUp, .over: break
        }
    }
}
