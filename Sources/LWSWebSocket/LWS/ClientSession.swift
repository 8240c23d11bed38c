// One client's connection as it lives on the loop.

internal import CLibWebSockets
internal import HTTPTypes
internal import LWSServiceLoop

/// Carries the connection that comes of an attempt, and translates between lws and the ``Connection``.
final class ClientSession: ClientAttempt {
    let connection: Connection
    let request: HandshakeRequest
    /// The system has refused a write, so TCP is broken.
    var writeFailed = false
    /// The close frame of this side has been handed to lws.
    var closeFrameWasSent = false
    /// The answer was left to lws.
    var wasHandedOver = false
    /// What lws ended the connection for, if it was lws.
    var violation: Violation?
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
    /// Pauses reading from the socket until the application reads on.
    let reading = ReadGate()
    /// Has callers send without holding the loop.
    let unheldSend = UnheldSend()
    var keepAlive: KeepAlive?
    /// The loop's, once it was asked for.
    var maskPool: MaskPool?

    init(
        connection: Connection, request: HandshakeRequest, addresses: [ResolvedAddress], deadline: Deadline,
        tls: TLSContext?, lease: LoopLease
    ) {
        self.connection = connection
        self.request = request
        arrivals = Arrivals(
            maxFrameSize: connection.limits.maxFrameSize, maxMessageSize: connection.limits.maxMessageSize,
            room: connection.query { $0.inbound.room })
        super.init(
            by: connection.route, to: addresses, until: deadline, tls: tls, userAgent: request.fields[.userAgent],
            lease: lease)
    }

    override func connect(with info: inout lws_client_connect_info) -> OpaquePointer? {
        request.targetForLWS.withCString { target in
            request.authorityForLWS.withCString { authority in
                ClientVhost.protocolName.withCString { name in
                    info.path = target
                    info.host = authority
                    info.local_protocol_name = name
                    guard let offer = request.offerForLWS else { return lws_client_connect_via_info(&info) }
                    return offer.withCString { offer in
                        info.protocol = offer
                        return lws_client_connect_via_info(&info)
                    }
                }
            }
        }
    }

    override func handle(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ argument: UnsafeMutableRawBufferPointer,
        _ held: borrowing HeldLoop
    ) -> Bool { reading.whileHandling { translate(reason, wsi, argument, held) } }

    override func waitChanged(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        super.waitChanged(wsi, held)
        guard wasOpened else { return }
        // It will write in its next turn, a pong perhaps.
        settle(held)
        reading.waitChanged(wsi, held)
    }

    override func ended(_ held: borrowing HeldLoop) {
        keepAlive?.stop(held)
        handOver(held)
        if wasOpened {
            connection.transportEnded(violation: violation)
        } else {
            connection.openingFailed(
                failure ?? error(.connection, "The connection to \(url.host) ended during the handshake"))
        }
    }

    override func answered(_ outcome: AnswerReader.Outcome, _ held: borrowing HeldLoop) { judge(outcome, held) }

    override func reached(_ step: OpeningStep) { connection.reached(step) }

    override func ends(_ held: borrowing HeldLoop) {
        settle(held)
        reading.end(wsi, held)
    }

    // MARK: - What the connection asks for

    func requestWrite(_ held: borrowing HeldLoop) {
        guard let wsi, wasOpened else { return }
        reading.awaitWritable(wsi, held)
        // Where the peer does not read, a close frame may have to wait for long, and nobody is to wait for that.
        if connection.isTakingLeave, !SocketPoll.takesData(lws_get_socket_fd(wsi)) { connection.closeFrameLeft() }
    }

    func resumeReading(_ held: borrowing HeldLoop) {
        // It may be full again by now; then the readers will ask once more.
        guard let wsi, wasOpened, !connection.query({ $0.inbound.isPaused }) else { return }
        reading.resume(wsi, held)
        resumeKeepAlive(held)
    }

    func endAfter(_ limit: Duration, _ held: borrowing HeldLoop) {
        guard wsi != nil else { return }
        ends(held)
        // Not by lws's own way of ending, which first tries for 5 s to send what it holds.
        let timer = LoopTimer { [unowned self] held in abort(held) }
        timer.arm(after: limit, held)
        self.limit?.cancel(held)
        self.limit = timer
    }
}
