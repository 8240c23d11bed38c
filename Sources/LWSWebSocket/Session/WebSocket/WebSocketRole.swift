// WebSocket/: an open WebSocket connection on libwebsockets.
//
// Holds: the session's role there: messages in and out, compressed or not, pings that keep alive, sending without the loop,
// and what happens when the peer breaks a rule.

internal import CLibWebSockets
internal import LWSPayload
internal import LWSServiceLoop

/// Has the server asked for the upgrade, and translates between lws and the ``Connection`` when it has agreed. Lives on the
/// loop, as the ``ClientSession`` does whose role this is, which is passed along for what it has.
final class WebSocketRole {
    let connection: Connection
    let request: HandshakeRequest
    /// The system has refused a write, so TCP is broken.
    var writeFailed = false
    /// The close frame of this side has been handed to lws, or what it is to say.
    var closeFrameWasSent = false
    /// What rule the peer broke.
    var violation: Violation?
    /// That, where it is not told yet.
    var postponed: Postponed?
    /// lws sends the close frame of this side.
    var isClosedByLWS = false
    /// What the server has chosen of the sub-protocols offered.
    var subProtocol: String?
    /// What the connection has not been given yet.
    ///
    /// Changed with each message, by methods that do not come back here: Swift need not look, at run time, whether they do.
    @exclusivity(unchecked) var arrivals: Arrivals
    /// What was agreed of compression, where the server took the offer.
    var agreement: CompressionAgreement?
    var compression: CompressedTraffic?
    /// Nothing that still comes is for anyone: the peer broke a rule, or has closed.
    var isDeaf = false
    /// For the log alone.
    @exclusivity(unchecked) var frameLog = FrameLog()
    /// Pauses reading from the socket until the application reads on.
    let reading = ReadGate()
    /// Has callers send without holding the loop.
    let unheldSend = UnheldSend()
    var keepAlive: KeepAlive?
    /// The loop's, once it was asked for.
    var maskPool: MaskPool?

    init(_ connection: Connection, _ request: HandshakeRequest) {
        self.connection = connection
        self.request = request
        arrivals = Arrivals(
            maxFrameSize: connection.limits.maxFrameSize, maxMessageSize: connection.limits.maxMessageSize,
            room: connection.query { $0.inbound.room })
    }

    // MARK: - For the session

    /// lws changes what it waits for on the socket of the established connection.
    func waitChanged(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        // It wants to send a close frame, and has to wait.
        guard postponed?.isByLWS != true else { return }
        // It will write in its next turn, a pong perhaps.
        settle(session, held)
        if !sendPong(wsi, session, held) { reading.waitChanged(wsi, held) }
        // It is in the midst of reading, and keeps the rest.
        if reading.isAnsweringPing { held.whenPassEnds(session) }
    }

    /// lws had too little memory for something. Where it was kept from reading on, that may have been to keep what it had read.
    func mayHaveLostInput(_ session: ClientSession, _ held: borrowing HeldLoop) {
        if session.wsi != nil, reading.isHeldBack { giveUp(session, held) }
    }

    /// The open connection is about to end.
    func ends(_ session: ClientSession, _ held: borrowing HeldLoop) {
        forgetPostponed(session, held)
        settle(session, held)
        reading.end(session.wsi, held)
    }

    /// There is nothing more to come.
    func ended(_ session: ClientSession, _ held: borrowing HeldLoop) {
        keepAlive?.stop(held)
        handOver(session, held)
        if session.phase.isEstablished {
            connection.transportEnded(violation: violation)
        } else {
            connection.openingFailed(
                session.failure
                    ?? session.error(.connection, "The connection to \(session.url.host) ended during the handshake"))
        }
    }

    // MARK: - What the connection asks for

    func requestWrite(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let wsi = session.wsi, session.phase.isEstablished else { return }
        if postponed?.isByLWS == true {
            guard connection.phase != .open else { return _ = sendNow(session, held) }
            tellPostponed(session, held)
        }
        guard !isClosedByLWS else { return sendCloseByLWS(session, held) }
        reading.awaitWritable(wsi, held)
        // Where the peer does not read, a close frame may have to wait for long, and nobody is to wait for that.
        if connection.isTakingLeave, !SocketPoll.takesData(lws_get_socket_fd(wsi)) { connection.closeFrameLeft() }
    }

    func resumeReading(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let wsi = session.wsi, session.phase.isEstablished, postponed == nil, !isClosedByLWS else { return }
        // It may be full again by now; then the readers will ask once more.
        guard !connection.query({ $0.inbound.isPaused }) else { return }
        if reading.isPaused { logResumption() }
        reading.resume(wsi, held)
        resumeKeepAlive(held)
    }

    // MARK: - What lws reports of a WebSocket connection

    /// Unwraps what lws hands over and calls one method. `false` makes lws end the connection.
    func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        let goOn: Bool
        switch reason {
        case LWS_CALLBACK_CLIENT_RECEIVE:
            received(UnsafeRawBufferPointer(argument), wsi, session, held)
            goOn = true
        case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
            receivedPong(UnsafeRawBufferPointer(argument), wsi, session, held)
            goOn = true
        case LWS_CALLBACK_WSI_CREATE:
            // For a client's connection, when TCP is connected (`lws_client_connect_3_connect`).
            session.connected(wsi, held)
            goOn = true
        case LWS_CALLBACK_CLIENT_WRITEABLE:
            goOn = writable(wsi, session, held)
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            goOn = receivedClose(UnsafeRawBufferPointer(argument), wsi, session, held)
        case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
            // Whether the extension, of which there is one, is offered.
            goOn = request.compression != nil
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
            guard let end = argument.baseAddress else { return false }
            goOn = appendHeaders(
                end.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self), available: argument.count, wsi,
                session, held)
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
            goOn = readResponse(wsi, session)
        case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
            goOn = checkAgreement(wsi, session)
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            goOn = opened(session, held)
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            session.connectionFailed(String(decoding: argument.prefix { $0 != 0 }, as: UTF8.self), held)
            goOn = true
        case LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL:
            refused(wsi, session, held)
            goOn = true
        case LWS_CALLBACK_CLIENT_CLOSED:
            noteViolation(wsi, session)
            session.ends(held)
            // Before lws closes it: a forked child may keep it open.
            session.socket?.forget(held)
            goOn = true
        case LWS_CALLBACK_WSI_DESTROY:
            compression = nil
            session.ends(held)
            reading.stop(held)
            session.attemptEnded(held)
            goOn = true
        default:
            goOn = true
        }
        return goOn
    }
}
