// An open connection on which the peer breaks a rule: what lws refuses, and when it shows.

internal import CLibWebSockets
internal import LWSServiceLoop

extension WebSocketRole {
    /// A rule that the peer broke behind messages which the application may have yet to answer. Until a reader has come so far,
    /// or the time for that is up, nothing is told of it, and nothing is read.
    struct HeldBack {
        let violation: Violation
        /// lws has refused a frame, and waits to send a close frame: whatever has it look at the connection ends this.
        let isByLWS: Bool
    }

    /// How long an answer is waited for.
    private static let patience = Duration.seconds(1)

    /// lws is about to end an open connection.
    ///
    /// It would do so without a word when a frame breaks a rule (`lws_ws_client_rx_sm` returns -1). With a reason it keeps the
    /// connection until it can send that (roles/ws/ops-ws.c: rops_close_via_role_protocol_ws), and then for the peer's answer.
    func refused(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        noteViolation(wsi, session)
        guard case .open = session.phase, let violation, heldBack == nil, !isClosedByLWS else { return }
        handOver(session, held)
        isDeaf = true
        setReason(violation.closeFrame, wsi)
        guard !holdBack(violation, isByLWS: true, session, held) else { return }
        connection.failed(violation)
        closeByLWS(violation, wsi, session, held)
    }

    /// The socket tells a refusal apart from a lost connection: it is sound, and nothing or something is left to read.
    func noteViolation(_ wsi: OpaquePointer, _ session: ClientSession) {
        guard case .open = session.phase, violation == nil, !closeFrameWasSent, connection.phase == .open else {
            return
        }
        guard !writeFailed, session.tls?.hasEnded != true, Socket.isSound(lws_get_socket_fd(wsi)) else { return }
        violation = arrivals.assembler.isBetweenFrames ? .brokenSequence : .refusedByLibrary
    }

    // MARK: - When it shows

    /// Returns false where it is to show now.
    func holdBack(
        _ violation: Violation, isByLWS: Bool = false, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        guard case .open = session.phase, heldBack == nil, let wsi = session.wsi, let watched = reading.watched,
            !isByLWS || (!reading.awaitsWritable && lws_partial_buffered(wsi) == 0),
            connection.query({ $0.holdBack(violation) })
        else { return false }
        self.violation = violation
        heldBack = HeldBack(violation: violation, isByLWS: isByLWS)
        reading.pause(wsi, held)
        if isByLWS {
            watched.setWantsToWrite(false, held)
            held.whenPassBegins(session)
        }
        session.allow(Self.patience, held) { [unowned self, unowned session] held in tellHeldBack(session, held) }
        return true
    }

    /// The connection fails now.
    func tellHeldBack(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let refusal = heldBack, let wsi = session.wsi else { return }
        forgetHeldBack(session, held)
        settle(session, held)
        connection.failed(refusal.violation)
        reading.resume(wsi, held)
        if refusal.isByLWS { closeByLWS(refusal.violation, wsi, session, held) }
    }

    /// A caller waits for what the peer sends, or takes. There may be nothing to come any more.
    func waits(for semaphore: MonotonicSemaphore, _ session: ClientSession, _ held: borrowing HeldLoop) {
        guard heldBack != nil, !semaphore.isSignalled, connection.query({ $0.outbound.count }) == 0 else { return }
        tellHeldBack(session, held)
    }

    func forgetHeldBack(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard heldBack != nil else { return }
        heldBack = nil
        held.forget(session)
        session.stopLimit(held)
    }

    /// Has lws call back when the connection can be written to. What did not leave at once leaves no more where lws would send a
    /// close frame then.
    func awaitWritable(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        if heldBack?.isByLWS == true { tellHeldBack(session, held) } else { reading.awaitWritable(wsi, held) }
    }

    // MARK: - Closing by lws, which has refused a frame

    private func closeByLWS(
        _ violation: Violation, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        let frame = connection.query { $0.takeCloseFrame() } ?? violation.closeFrame
        setReason(frame, wsi)
        (isClosedByLWS, closeFrameWasSent) = (true, true)
        connection.log.frame(.sent, .close, bytes: frame.payload.count)
        session.ends(held)
    }

    private func setReason(_ frame: CloseFrame, _ wsi: OpaquePointer) {
        guard let code = frame.code else { return }
        var reason = Array(frame.reason.utf8)
        lws_close_reason(wsi, lws_close_status(rawValue: UInt32(code)), &reason, reason.count)
    }

    /// Has lws send its close frame, if it has not yet.
    func sendCloseByLWS(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        held.serveWriting(lws_get_socket_fd(wsi))
        connection.closeFrameLeft()
    }
}
