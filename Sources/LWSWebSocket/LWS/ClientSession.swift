// One client's connection as it lives on the loop.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Connects to the addresses in turn, carries the connection that comes of it, and translates between lws and the
/// ``Connection``. Lives on the loop: whoever calls a method holds it.
///
/// lws's user pointer of the connection is this object. Each attempt retains it when it is handed to lws
/// (`connectToNext`) and releases it when lws has forgotten it (`attemptEnded`).
final class ClientSession {
    let connection: Connection
    let request: HandshakeRequest
    let deadline: Deadline
    /// What a connection over TLS is made from.
    let tlsContext: TLSContext?
    /// The TLS of the attempt under way or of the open connection.
    var tls: TLSHandshake?
    var tlsTimer: LoopTimer?
    /// Keeps the loop running for as long as the session is.
    private(set) var lease: LoopLease?

    /// Where has not been tried yet.
    var addresses: [ResolvedAddress]
    /// Where the attempt under way goes to.
    var address: ResolvedAddress?
    /// What the attempts are made with, shared with others that have the same key.
    var vhost: ClientVhost?
    /// Waits for what the proxy answers to CONNECT.
    var proxyWatcher: ProxyWatcher?
    /// The proxy has agreed to the connection.
    var hasTunnel = false
    /// lws's handle of the attempt under way or of the open connection.
    var wsi: OpaquePointer?
    /// lws has this object's address.
    var isKnownToLWS = false
    var isConnectCallRunning = false
    var isAborted = false
    /// Why the attempt under way, or the last one, failed, as far as is known.
    var failure: WebSocketError?
    var requestWasWritten = false
    var wasOpened = false
    /// The connection has been given a time to end by.
    var isLimited = false
    /// The system has refused a write, so TCP is broken.
    var writeFailed = false
    /// The close frame of this side has been handed to lws.
    var closeFrameWasSent = false
    /// What lws ended the connection for, if it was lws.
    var violation: Violation?
    /// lws's service buffer, known from the request that it writes there.
    var serviceBuffer: UnsafeRawBufferPointer?
    var response: HTTPResponse?
    /// The beginning of its body, where it refuses.
    var responseBody: ResponseBody?
    /// What the server has chosen of the sub-protocols offered.
    var subProtocol: String?
    var assembler: MessageAssembler
    /// What was agreed of compression, where the server took the offer.
    var agreement: CompressionAgreement?
    var compression: CompressedTraffic?
    /// Nothing that still comes is for anyone: the peer broke a rule, or has closed.
    var isDeaf = false
    /// Reading from the socket is paused until the application reads on.
    var isReadingPaused = false
    var keepAlive: KeepAlive?

    init(
        connection: Connection, request: HandshakeRequest, addresses: [ResolvedAddress], deadline: Deadline,
        tls tlsContext: TLSContext?, lease: LoopLease
    ) {
        self.connection = connection
        self.request = request
        self.addresses = addresses
        self.deadline = deadline
        self.tlsContext = tlsContext
        self.lease = lease
        assembler = MessageAssembler(
            maxFrameSize: connection.limits.maxFrameSize, maxMessageSize: connection.limits.maxMessageSize)
    }

    // MARK: - What the connection asks for

    func requestWrite(_ held: borrowing HeldLoop) {
        guard let wsi, wasOpened else { return }
        lws_callback_on_writable(wsi)
    }

    func resumeReading(_ held: borrowing HeldLoop) {
        // It may be full again by now; then the readers will ask once more.
        guard let wsi, wasOpened, !connection.query({ $0.inbound.isPaused }) else { return }
        lws_rx_flow_control(wsi, 1)
        isReadingPaused = false
        resumeKeepAlive(held)
    }

    func endAfter(_ limit: Duration, _ held: borrowing HeldLoop) {
        guard let wsi else { return }
        isLimited = true
        lws_set_timer_usecs(wsi, limit.microseconds)
    }

    /// Ends the connection without a close frame and without flushing: lws treats an expired timeout as a "violent
    /// death" (core-net/wsi-timeout.c, lws_sul_wsitimeout_cb), and this one expires in the next pass.
    func abort(_ held: borrowing HeldLoop) {
        isAborted = true
        guard let wsi else { return }
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_async)
    }

    // MARK: - The end

    /// Tells the connection how it went. Nothing happens on the loop after this.
    func finish(_ held: borrowing HeldLoop) {
        guard lease != nil else { return }
        keepAlive?.stop(held)
        stopSecuring(held)
        if wasOpened {
            connection.transportEnded(violation: violation)
        } else {
            // lws does not report every end of an attempt.
            if failure == nil, !isAborted { _ = securingFailed("") }
            connection.openingFailed(
                failure ?? error(.connection, "The connection to \(connection.url.host) ended during the handshake"))
        }
        if vhost != nil, let loop = lease?.loop {
            // In a later turn: lws may be in the midst of ending the connection.
            let key = vhostKey
            vhost = nil
            loop.perform { held in held.resident(ClientVhostPool.self)?.release(key, held) }
        }
        lease = nil
    }

    var vhostKey: VhostKey { VhostKey(proxy: connection.route.proxy, tls: tlsContext) }

    func error(_ code: WebSocketError.Code, _ message: String, detail: String? = nil, isTransient: Bool = false)
        -> WebSocketError
    {
        let body = responseBody?.bytes ?? []
        return WebSocketError(
            code, message, host: connection.url.host, httpResponse: response,
            httpResponseBody: body.isEmpty ? nil : body, libraryDetail: detail, isTransient: isTransient)
    }
}
