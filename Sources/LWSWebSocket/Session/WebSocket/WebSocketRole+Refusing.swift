// An open connection on which the peer breaks a rule: what lws refuses, and when it shows.

internal import CLibWebSockets
internal import LWSServiceLoop

extension WebSocketRole {
    /// A rule that the peer broke behind messages which the application may have yet to answer. Until somebody waits for what
    /// comes next, or the time for that is up, nothing is told of it, and nothing is read.
    struct Postponed {
        let violation: Violation
        /// lws has refused a frame, and waits to send a close frame: whatever has it look at the connection ends this.
        let isByLWS: Bool
    }

    /// lws is about to end an open connection, because of a frame that it refuses perhaps.
    ///
    /// Then it would mostly do so without a word (`lws_ws_client_rx_sm` returns -1). With a reason it keeps the connection until it
    /// can send that, and then for the peer's answer (roles/ws/ops-ws.c: rops_close_via_role_protocol_ws). Where it holds
    /// something back that has yet to leave, it ends the connection when that has left, and calls this too late.
    func refused(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        guard case .open = session.phase, !isClosedByLWS, !writeFailed else {
            // A close frame of its own would follow ours; it may leave before the connection is given up.
            if closeFrameWasSent, !isClosedByLWS, lws_get_close_length(wsi) > 0 {
                Socket.endOutput(lws_get_socket_fd(wsi))
                connection.transport?.abort()
            }
            return
        }
        noteViolation(wsi, session)
        // For a masked frame it has a reason of its own, and sends a close frame whatever is done here (4.3 and later).
        guard let violation = violation ?? (lws_get_close_length(wsi) > 0 ? .refusedByLibrary : nil) else { return }
        self.violation = violation
        handOver(session, held)
        isDeaf = true
        reading.stopReading(wsi, held)
        if postpone(violation, isByLWS: true, session, held) {
            setReason(violation.closeFrame, wsi)
        } else {
            failByLWS(violation, wsi, session, held)
        }
    }

    /// The socket tells a refusal apart from a lost connection: it is sound, and nothing or something is left to read. So it is
    /// where lws could not read for want of memory, which the peer has no part in.
    func noteViolation(_ wsi: OpaquePointer, _ session: ClientSession) {
        guard !HeldLoop.lacksMemory, case .open = session.phase, violation == nil, !closeFrameWasSent else { return }
        guard !writeFailed, session.tls?.hasEnded != true, Socket.isSound(lws_get_socket_fd(wsi)) else { return }
        violation = arrivals.assembler.isBetweenFrames ? .brokenSequence : .refusedByLibrary
    }

    // MARK: - When it shows

    /// Returns false where it is to show now.
    func postpone(
        _ violation: Violation, isByLWS: Bool, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        guard !writeFailed, let wsi = session.wsi, let watched = reading.watched,
            connection.query({ $0.mayBeAnswered })
        else { return false }
        if isByLWS {
            // 4.1 serves a connection again in the same pass which it was to end (plat/unix/unix-service.c:
            // _lws_plat_service_forced_tsi), and so would send its close frame.
            guard !held.isInsidePass, !reading.awaitsWritable, lws_partial_buffered(wsi) == 0 else { return false }
        }
        forgetPostponed(session, held)
        postponed = Postponed(violation: violation, isByLWS: isByLWS)
        reading.pause(wsi, held)
        if isByLWS {
            watched.setWantsToWrite(false, held)
            held.whenPassBegins(session)
        }
        session.allow(connection.query { $0.patience }, held) { [unowned self, unowned session] held in
            tellPostponed(session, held)
        }
        return true
    }

    /// The connection fails now.
    func tellPostponed(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard postponed != nil else { return }
        settle(session, held)
        // It may have been told, or the connection given up, by that.
        guard let postponed, let wsi = session.wsi else { return }
        guard !postponed.isByLWS else { return failByLWS(postponed.violation, wsi, session, held) }
        connection.failed(postponed.violation)
        forgetPostponed(session, held)
    }

    /// The connection comes to its end in another way, or this is being told. What the peer still sends has to be read past, but
    /// not by lws behind what it refused.
    func forgetPostponed(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let postponed else { return }
        self.postponed = nil
        held.notWhenPassBegins(session)
        session.stopLimit(held)
        if !postponed.isByLWS, let wsi = session.wsi { reading.resume(wsi, held) }
    }

    /// A caller waits, and may do so for what comes next.
    func callerWaits(_ session: ClientSession, _ held: borrowing HeldLoop) {
        if postponed != nil, connection.query({ $0.isListenedTo }) { tellPostponed(session, held) }
    }

    /// Has lws call back when the connection can be written to. It would send a close frame then, where it waits for that: what did
    /// not leave at once is the last.
    func awaitTurn(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        if postponed?.isByLWS == true { tellPostponed(session, held) } else { reading.awaitWritable(wsi, held) }
    }

    // MARK: - Closing by lws, which has refused a frame

    /// The connection fails now; the close frame is that of the application where it has closed before.
    private func failByLWS(
        _ violation: Violation, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        connection.failed(violation)
        closeByLWS(with: connection.query { $0.takeCloseFrame() } ?? violation.closeFrame, wsi, session, held)
    }

    /// Leaves a close frame to lws, which sends one in any case.
    func closeByLWS(
        with frame: CloseFrame, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        setReason(frame, wsi)
        (isClosedByLWS, closeFrameWasSent) = (true, true)
        connection.log.frame(.sent, .close, bytes: frame.payload.count)
        session.ends(held)
        // It may have been asked for before, when it was not known who sends it.
        connection.transport?.requestWrite()
    }

    private func setReason(_ frame: CloseFrame, _ wsi: OpaquePointer) {
        guard let code = frame.code else { return }
        var reason = Array(frame.reason.utf8)
        lws_close_reason(wsi, lws_close_status(rawValue: UInt32(code)), &reason, reason.count)
    }

    /// Has lws send the close frame, if it has not: it sends one thing at a time, and that last.
    func sendCloseByLWS(_ session: ClientSession, _ held: borrowing HeldLoop) {
        var holdsMore = true
        // More than this is not handed over at a time.
        for _ in 0..<8 where holdsMore {
            guard let wsi = session.wsi else { return }
            let descriptor = lws_get_socket_fd(wsi)
            holdsMore = lws_partial_buffered(wsi) != 0 && SocketPoll.takesData(descriptor)
            held.serveWriting(descriptor)
        }
        if let wsi = session.wsi { closeByLWSLeft(wsi, session, held) }
    }

    /// The close frame has left, or cannot for now. lws reads on, for the answer.
    func closeByLWSLeft(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        if lws_partial_buffered(wsi) == 0 { reportFlushed() }
        reading.goOnReading(wsi, held)
        connection.closeFrameLeft()
    }
}
