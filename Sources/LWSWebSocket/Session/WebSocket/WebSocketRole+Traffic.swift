// An open connection: what comes in, and how it ends.

internal import CLibWebSockets
internal import LWSServiceLoop

extension WebSocketRole {
    // MARK: - In

    /// A piece of a data frame has arrived.
    func received(
        _ bytes: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
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
        if isFull, let wsi = session.wsi { reading.pause(wsi, held) }
    }

    /// The peer broke a rule. Nothing that it still sends is looked at, but for its close frame.
    func fail(_ violation: Violation, _ session: ClientSession, _ held: borrowing HeldLoop) {
        handOver(session, held)
        isDeaf = true
        arrivals.forget()
        connection.failed(violation)
    }

    /// A pong has arrived, in one piece as all control frames do.
    func receivedPong(
        _ payload: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        keepAlive?.plan.heard()
        handOver(session, held)
        // lws looks at these bits where no extension is agreed to (`lws_ws_client_rx_sm`).
        guard lws_get_reserved_bits(wsi) == 0 else { return fail(.reservedBits, session, held) }
        if connection.receivedPong(payload, at: .now) { reading.pause(wsi, held) }
    }

    /// The peer's close frame has arrived. Returns whether the connection goes on.
    ///
    /// It is answered here: lws would do that when the socket takes data, and does not tell when.
    func receivedClose(
        _ payload: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        handOver(session, held)
        session.ends(held)
        guard let frame = CloseFrame(payload: payload) else {
            let violation = Violation.malformedCloseFrame
            self.violation = violation
            if !closeFrameWasSent { _ = send(violation.closeFrame, wsi) }
            return false
        }
        isDeaf = true
        if !closeFrameWasSent { _ = send(connection.query { $0.takeCloseFrame() } ?? frame, wsi) }
        connection.received(frame)
        return false
    }

    // MARK: - The end

    /// lws is about to close the socket of an open connection.
    ///
    /// It does so without a word when a frame breaks a rule (`lws_ws_client_rx_sm` returns -1). The socket tells
    /// that apart from a lost connection: it is sound, and nothing or something is left to read.
    func noteViolation(_ wsi: OpaquePointer, _ session: ClientSession) {
        guard case .open = session.phase, violation == nil, !closeFrameWasSent, connection.phase == .open else {
            return
        }
        guard !writeFailed, session.tls?.hasEnded != true, Socket.isSound(lws_get_socket_fd(wsi)) else { return }
        violation = arrivals.assembler.isBetweenFrames ? .brokenSequence : .refusedByLibrary
    }
}
