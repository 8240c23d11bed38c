// An open connection: what comes in, what goes out, and how it ends.

internal import CLibWebSockets
internal import LWSServiceLoop

extension ClientSession {
    // MARK: - In

    /// A piece of a data frame has arrived.
    func received(_ bytes: UnsafeRawBufferPointer, _ wsi: OpaquePointer) {
        if let compression { return compression.received(bytes, wsi, self) }
        deliver(
            MessageAssembler.Piece(
                bytes: bytes,
                kind: lws_frame_is_binary(wsi) != 0 ? .binary : .text,
                remainingInFrame: lws_remaining_packet_payload(wsi),
                endsMessage: lws_is_final_fragment(wsi) != 0),
            wsi)
    }

    /// Adds a piece to the message under way.
    func deliver(_ piece: MessageAssembler.Piece, _ wsi: OpaquePointer) {
        keepAlive?.plan.heard()
        guard !isDeaf else { return }
        switch assembler.add(piece) {
        case .incomplete: break
        case .message(let message):
            if connection.received(message) { pauseReading(wsi) }
        case .violation(let violation):
            fail(violation)
        }
    }

    /// The peer broke a rule. Nothing that it still sends is looked at, but for its close frame.
    func fail(_ violation: Violation) {
        isDeaf = true
        assembler.forget()
        connection.failed(violation)
    }

    /// A pong has arrived, in one piece as all control frames do.
    func receivedPong(_ payload: UnsafeRawBufferPointer, _ wsi: OpaquePointer) {
        keepAlive?.plan.heard()
        // lws looks at these bits where no extension is agreed to (`lws_ws_client_rx_sm`).
        guard lws_get_reserved_bits(wsi) == 0 else { return fail(.reservedBits) }
        if connection.receivedPong(payload, at: .now) { pauseReading(wsi) }
    }

    func pauseReading(_ wsi: OpaquePointer) {
        reading.pause(wsi)
    }

    /// The peer's close frame has arrived. Returns whether lws is to answer it.
    func receivedClose(_ payload: UnsafeRawBufferPointer, _ wsi: OpaquePointer) -> Bool {
        guard let frame = CloseFrame(payload: payload) else {
            let violation = Violation.malformedCloseFrame
            self.violation = violation
            if !closeFrameWasSent { _ = send(violation.closeFrame, wsi) }
            return false
        }
        isDeaf = true
        connection.received(frame)
        return !closeFrameWasSent
    }

    // MARK: - Out

    /// Bytes that one connection may hand to lws before the others on the loop get their turn.
    private static let turn = 1 << 18

    /// The socket takes data, and lws has passed on all that it was given before. Returns false where the
    /// connection is broken.
    func writable(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) -> Bool {
        reading.becameWritable(wsi, held)
        reportFlushed()
        guard !hasPeerEnded(wsi) else {
            // What the peer sent before it ended must not be lost to a write that can only fail. lws reads it next, or
            // when the application does.
            if reading.isPaused { connection.refuseWrites() } else { reading.awaitWritable(wsi) }
            return true
        }
        var handedOver = 0
        while handedOver < Self.turn {
            if let compression, compression.hasOutput, connection.phase == .open {
                guard let count = compression.sendOutput(upTo: connection.limits.maxFrameSize, wsi) else {
                    writeFailed = true
                    return false
                }
                handedOver += count
            } else {
                switch connection.nextFrame(maxSize: compression?.inputSize ?? connection.limits.maxFrameSize) {
                case .none:
                    return true
                case .close(let frame):
                    return send(frame, wsi)
                case .data(let frame):
                    guard send(frame, wsi) else { return false }
                    handedOver += frame.count + 1
                }
            }
            // What the operating system did not take lws keeps and sends before it calls again.
            guard lws_partial_buffered(wsi) == 0 else { break }
            reportFlushed()
        }
        reading.awaitWritable(wsi)
        return true
    }

    /// All that lws was given is with the operating system; what is compressed and waits was not given.
    private func reportFlushed() {
        guard compression?.hasOutput != true else { return }
        connection.flushed()
    }

    /// The peer has ended its direction of TCP. What it sent before may be unread.
    func hasPeerEnded(_ wsi: OpaquePointer) -> Bool { Socket.hasEnded(lws_get_socket_fd(wsi)) }

    private func send(_ frame: OutboundQueue.Frame, _ wsi: OpaquePointer) -> Bool {
        if let compression, compression.compresses(frame.message) {
            writeFailed = !compression.compress(frame, wsi)
            return !writeFailed
        }
        guard let payload = frame.message.payload(from: frame.offset) else { return false }
        let opcode =
            switch frame.message.kind {
            case .text: frame.isFirst ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION
            case .binary: frame.isFirst ? LWS_WRITE_BINARY : LWS_WRITE_CONTINUATION
            case .ping: LWS_WRITE_PING
            case .pong: LWS_WRITE_PONG
            }
        if frame.message.kind.isControl { frame.message.leftAt = .now }
        let flags = frame.isLast ? 0 : LWS_WRITE_NO_FIN.rawValue
        let status = lws_write(
            wsi, payload.assumingMemoryBound(to: UInt8.self), frame.count,
            lws_write_protocol(rawValue: opcode.rawValue | flags))
        writeFailed = status < 0
        return !writeFailed
    }

    /// Sends a close frame as an ordinary frame. `lws_close_reason` would do it too, but with waiting times of
    /// lws's own and without telling what the peer answers.
    private func send(_ frame: CloseFrame, _ wsi: OpaquePointer) -> Bool {
        closeFrameWasSent = true
        let payload = frame.payload
        return withUnsafeTemporaryAllocation(
            byteCount: OutgoingMessage.headroom + payload.count, alignment: 16
        ) { buffer in
            let body = UnsafeMutableRawBufferPointer(rebasing: buffer[OutgoingMessage.headroom...])
            body.copyBytes(from: payload)
            guard let start = buffer.baseAddress else { return false }
            let bytes = (start + OutgoingMessage.headroom).assumingMemoryBound(to: UInt8.self)
            return lws_write(wsi, bytes, payload.count, clws_write_close) >= 0
        }
    }

    // MARK: - The end

    /// lws is about to close the socket of an open connection.
    ///
    /// It does so without a word when a frame breaks a rule (`lws_ws_client_rx_sm` returns -1). The socket tells
    /// that apart from a lost connection: it is sound, and nothing or something is left to read.
    func closing(_ wsi: OpaquePointer) {
        guard !isAborted, violation == nil, !closeFrameWasSent, connection.phase == .open else { return }
        guard !writeFailed, tls?.hasEnded != true, Socket.isSound(lws_get_socket_fd(wsi)) else { return }
        violation = assembler.isBetweenFrames ? .brokenSequence : .refusedByLibrary
    }
}
