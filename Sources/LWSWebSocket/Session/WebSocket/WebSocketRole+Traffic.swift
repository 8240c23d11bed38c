// An open connection: what comes in, and what keeps it alive.

internal import CLibWebSockets
internal import LWSServiceLoop

extension WebSocketRole {
    // MARK: - In

    /// A piece of a data frame has arrived.
    func received(
        _ bytes: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        if LibraryRelease.mayMistakeControlFrames, clws_mistakes_control_frame(wsi) {
            return fail(.mistakenControlFrame, session, held)
        }
        if tellsOfFrames() { logPiece(of: bytes.count, wsi) }
        if let compression { return compression.received(bytes, wsi, self, session, held) }
        deliver(
            MessageAssembler.Piece(
                bytes: bytes,
                kind: lws_frame_is_binary(wsi) != 0 ? .binary : .text,
                remainingInFrame: lws_remaining_packet_payload(wsi),
                endsMessage: lws_is_final_fragment(wsi) != 0),
            session, held)
    }

    /// Adds a piece to the message under way.
    func deliver(_ piece: MessageAssembler.Piece, _ session: ClientSession, _ held: borrowing HeldLoop) {
        keepAlive?.plan.heard()
        guard !isDeaf else { return }
        switch arrivals.add(piece) {
        case .incomplete: break
        case .gathered(let isFirst, let isFull):
            if frameLog.showsPayloads { arrivals.messages.last.map(connection.log.received) }
            if isFirst { held.whenPassEnds(session) }
            if isFull { handOver(session, held) }
        case .violation(let violation):
            fail(violation, session, held)
        }
    }

    /// Gives the connection the messages that have arrived, before anything else that the peer has sent is dealt with.
    func handOver(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard !arrivals.messages.isEmpty else { return }
        let (isFull, room) = connection.received(&arrivals.messages)
        arrivals.room = room
        if isFull, let wsi = session.wsi { pauseReading(wsi, held) }
    }

    /// The peer broke a rule. Nothing that it still sends is looked at, but for its close frame.
    func fail(_ violation: Violation, _ session: ClientSession, _ held: borrowing HeldLoop) {
        guard !isDeaf else { return }
        handOver(session, held)
        isDeaf = true
        self.violation = violation
        arrivals.forget()
        if !postpone(violation, isByLWS: false, session, held) { connection.failed(violation) }
    }

    /// What has arrived cannot be dealt with: nothing behind it is looked at, and the connection is lost.
    func giveUp(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard !isDeaf else { return }
        handOver(session, held)
        isDeaf = true
        arrivals.forget()
        session.abort(held)
    }

    /// A pong has arrived, in one piece as all control frames do.
    func receivedPong(
        _ payload: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        keepAlive?.plan.heard()
        guard !isDeaf else { return }
        handOver(session, held)
        connection.log.frame(.received, .pong, bytes: payload.count)
        // lws looks at these bits where no extension is agreed to (`lws_ws_client_rx_sm`).
        guard lws_get_reserved_bits(wsi) == 0 else { return fail(.reservedBits, session, held) }
        if connection.receivedPong(payload, at: .now) {
            pauseReading(wsi, held)
            held.whenPassEnds(session)
        }
    }

    /// The peer's close frame has arrived. Returns whether the connection goes on.
    ///
    /// It is answered here: lws would do that when the socket takes data, and does not tell when.
    func receivedClose(
        _ payload: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        handOver(session, held)
        connection.log.frame(.received, .close, bytes: payload.count)
        tellPostponed(session, held)
        session.ends(held)
        guard let frame = CloseFrame(payload: payload) else {
            let violation = Violation.malformedCloseFrame
            self.violation = violation
            if !closeFrameWasSent { _ = send(violation.closeFrame, wsi) }
            return false
        }
        isDeaf = true
        let isAnswered = closeFrameWasSent || send(connection.query { $0.takeCloseFrame() } ?? frame, wsi)
        connection.received(frame)
        // Behind 2 MiB that the socket has not taken 5.0 appends nothing (core/buflist.c: LWS_BUFLIST_OOM_LIMIT). By itself lws
        // answers with the peer's code, when all of that has left within 3 s.
        return !isAnswered && lws_partial_buffered(wsi) != 0
    }
}

// MARK: - Keep-alive on the loop: the timer that pings, and judges a peer that stays silent

/// The timetable of one open connection with its timer. Lives with the ``WebSocketRole``, which stops it before it
/// lets go of it.
final class KeepAlive {
    var plan: KeepAlivePlan
    private let timer: LoopTimer

    init(_ settings: KeepAlivePlan.Settings, _ fired: @escaping (borrowing HeldLoop) -> Void) {
        plan = KeepAlivePlan(settings, at: .now)
        timer = LoopTimer(fired)
    }

    func arm(isPaused: Bool, _ held: borrowing HeldLoop) {
        timer.arm(after: plan.pause(from: .now, isPaused: isPaused), held)
    }

    func stop(_ held: borrowing HeldLoop) { timer.cancel(held) }
}

extension WebSocketRole {
    /// The connection is open.
    func startKeepAlive(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let settings = connection.limits.keepAlive else { return }
        let keepAlive = KeepAlive(settings) { [unowned self, unowned session] held in
            keepAliveFired(session, held)
        }
        keepAlive.arm(isPaused: false, held)
        self.keepAlive = keepAlive
    }

    /// Reading goes on after a pause: what the peer sent meanwhile has yet to be read, and no ping gets in its way.
    func resumeKeepAlive(_ held: borrowing HeldLoop) {
        guard let keepAlive, connection.phase == .open else { return }
        keepAlive.plan.restart(at: .now)
        keepAlive.plan.postpone(at: .now)
        keepAlive.arm(isPaused: false, held)
    }

    private func keepAliveFired(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let keepAlive, let wsi = session.wsi, connection.phase == .open, postponed == nil else { return }
        let now = LoopClock.now
        // After a time in which the process did not run, the answer may lie in the socket while the timer, which
        // lws serves first, is due.
        if keepAlive.plan.isOverdue(at: now), Socket.hasUnreadBytes(lws_get_socket_fd(wsi)) {
            keepAlive.plan.restart(at: now)
        }
        switch keepAlive.plan.step(at: now, isPaused: reading.isPaused) {
        case .wait: break
        case .ping where reading.isPaused || Socket.hasUnreadBytes(lws_get_socket_fd(wsi)):
            // Its pong would have to wait behind what is unread; and where the peer has closed behind that, the ping would
            // bring a reset, which throws it away. Nothing was asked, so nobody is judged.
            keepAlive.plan.heard()
        case .ping: if connection.queueKeepAlivePing() { reading.awaitWritable(wsi, held) }
        case .giveUp:
            connection.pingWasNotAnswered(within: keepAlive.plan.settings.limit ?? .zero)
            return
        }
        keepAlive.arm(isPaused: reading.isPaused, held)
    }
}
