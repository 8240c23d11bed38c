// What every connection of a client has in common on the loop, whatever is spoken over it.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Connects to the addresses in turn, through a proxy and with TLS where that is wanted, until a request is on its way to
/// the server. What comes back is the business of those who inherit: the ``ClientSession`` of a WebSocket connection, the
/// ``HTTPExchange`` of a request for a token. Lives on the loop: whoever calls a method holds it.
///
/// lws's user pointer of the connection is this object. Each attempt retains it when it is handed to lws
/// (`connectToNext`) and releases it when lws has forgotten it (`attemptEnded`).
class ClientAttempt {
    let route: Route
    var url: WebSocketURL { route.url }
    let deadline: Deadline
    /// What a connection over TLS is made from.
    let tlsContext: TLSContext?
    /// What the requests say that they come from.
    let userAgent: String?
    /// The TLS of the attempt under way or of the open connection.
    var tls: TLSHandshake?
    var tlsTimer: LoopTimer?
    /// Keeps the loop running for as long as this is.
    private(set) var lease: LoopLease?

    /// Where has not been tried yet.
    var addresses: [ResolvedAddress]
    /// Where the attempt under way goes to.
    var address: ResolvedAddress?
    /// What the attempts are made with, shared with others that have the same key.
    var vhost: ClientVhost?
    /// Waits for the address to turn out to be out of reach.
    var reaching: ReachingWatch?
    /// Waits for what the proxy answers to CONNECT.
    var proxyWatcher: ProxyWatcher?
    /// The proxy has agreed to the connection.
    var hasTunnel = false
    /// lws's handle of the attempt under way or of the open connection.
    var wsi: OpaquePointer?
    /// Its socket, where the loop waits for it by itself.
    var socket: WatchedSocket?
    /// Ends the attempt, or the connection when it has been given a time to end by.
    var limit: LoopTimer?
    /// lws has this object's address.
    var isKnownToLWS = false
    var isConnectCallRunning = false
    var isAborted = false
    /// Why the attempt under way, or the last one, failed, as far as is known.
    @Boxed var failure: WebSocketError?
    var requestWasWritten = false
    /// The server has answered as it should, and there is no other attempt any more.
    var wasOpened = false
    /// Looks at what the server answers, once it was asked.
    var answer: AnswerReader?
    var answerHead: ResponseHead?
    /// Its body, or the beginning.
    var responseBody: [UInt8]?

    init(
        by route: Route, to addresses: [ResolvedAddress], until deadline: Deadline, tls tlsContext: TLSContext?,
        userAgent: String?, lease: LoopLease
    ) {
        self.route = route
        self.addresses = addresses
        self.deadline = deadline
        self.tlsContext = tlsContext
        self.userAgent = userAgent
        self.lease = lease
    }

    // MARK: - For those who inherit

    /// Hands lws what is to be asked for, and has it connect.
    func connect(with info: inout lws_client_connect_info) -> OpaquePointer? { nil }

    /// What lws reports of the connection. `false` makes it end the connection.
    func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ held: borrowing HeldLoop
    ) -> Bool { false }

    /// lws changes what it waits for on the connection's socket.
    func waitChanged(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) { socket?.mark(held) }

    /// The connection is about to end, if it is open: how, only lws knows from here on.
    func ends(_ held: borrowing HeldLoop) {}

    /// What the same place is asked by over TLS.
    class var secureURL: String { "a wss: URL" }

    /// Whether all of the request is on its way.
    var requestWasSent: Bool { requestWasWritten }

    /// It is clear what the server answers.
    func answered(_ outcome: AnswerReader.Outcome, _ held: borrowing HeldLoop) {}

    /// The attempt under way has come so far.
    func reached(_ step: OpeningStep) {}

    /// There is nothing more to come, and `failure` says why where there is no connection. Called once.
    func ended(_ held: borrowing HeldLoop) {}

    // MARK: - The end

    /// Ends the connection without a close frame and without flushing: lws treats an expired timeout as a "violent
    /// death" (core-net/wsi-timeout.c, lws_sul_wsitimeout_cb), and this one expires in the next pass.
    func abort(_ held: borrowing HeldLoop) {
        isAborted = true
        guard let wsi else { return }
        ends(held)
        reaching?.stop(held)
        answer?.stop(held)
        proxyWatcher?.stop(held)
        held.noteWork()
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_async)
    }

    /// Tells how it went. Nothing happens on the loop after this.
    func finish(_ held: borrowing HeldLoop) {
        guard lease != nil else { return }
        stopSecuring(held)
        // lws does not report every end of an attempt.
        if !wasOpened, failure == nil, !isAborted { _ = securingFailed("") }
        ended(held)
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
