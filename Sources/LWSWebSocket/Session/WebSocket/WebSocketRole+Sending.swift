// An open connection: what goes out.

internal import CLibWebSockets
internal import LWSServiceLoop

extension WebSocketRole {
    /// Bytes that one connection may hand to lws before the others on the loop get their turn.
    private static let turn = 1 << 18

    /// The socket takes data, and lws has passed on all that it was given before. Returns false where the
    /// connection is broken.
    func writable(_ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) -> Bool {
        // What a caller had left may have been handed over in the midst of this turn (``settle(_:_:)``).
        guard reading.becameWritable(wsi, held) else { return true }
        reportFlushed()
        if isClosedByLWS { closeByLWSLeft(wsi, session, held) }
        return sendQueued(wsi, mustLook: true, session, held)
    }

    /// The same for a caller who holds the loop and has queued something. Returns false where it is left to the loop's
    /// thread.
    func sendNow(_ session: ClientSession, _ held: borrowing HeldLoop) -> Bool {
        guard let wsi = session.wsi, let watched = reading.watched else { return false }
        guard !unheldSend.follow() else { return true }
        settle(session, held)
        // Otherwise lws will call back, and it is sent then.
        guard isIdle(wsi, watched) else { return true }
        let mustLook = reading.isPaused || watched.isUnattended
        if !reading.whileHandling({ sendQueued(wsi, mustLook: mustLook, session, held) }) { session.abort(held) }
        return true
    }

    /// lws holds nothing that has yet to leave, and will not call back.
    private func isIdle(_ wsi: OpaquePointer, _ watched: WatchedSocket) -> Bool {
        !reading.awaitsWritable && !watched.wantsToWrite && lws_partial_buffered(wsi) == 0
    }

    /// How a message is sent that goes in front of all that is queued.
    enum DirectTurn {
        /// It was dealt with here.
        case over(DirectSending)
        /// The caller sends these bytes when they have let go of the loop (``UnheldSend``).
        case unheld(UnsafeMutableRawBufferPointer, Int32)
    }

    /// Sends a whole message in front of all that is queued, of which nothing has begun, or has the caller do that.
    func sendDirectly(
        _ message: OutgoingMessage, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> DirectTurn {
        guard let wsi = session.wsi, let watched = reading.watched, compression == nil,
            !closeFrameWasSent, !writeFailed,
            !message.kind.isControl, message.count <= Self.turn, session.tls?.isBroken != true
        else { return .over(.refused) }
        // One that was laid out for a connection before this one, to be compressed, has yet to be cut.
        guard !message.spans.isEmpty || message.count <= connection.limits.maxFrameSize else {
            return .over(.refused)
        }
        // What was begun and is not done awaits its turn to write.
        guard !unheldSend.isUnderWay, isIdle(wsi, watched), !reading.isPaused,
            !watched.isUnattended || !hasPeerEnded(wsi)
        else { return .over(.refused) }
        let bytes =
            message.spans.isEmpty
            ? seal(message, CollectionOfOne(message.onlySpan), held) : seal(message, message.spans[...], held)
        if let bytes, session.tls == nil {
            unheldSend.begin()
            return .unheld(bytes, lws_get_socket_fd(wsi))
        }
        let isSent = reading.whileHandling {
            bytes.map { giveToLWS($0, wsi) } == true && session.tls?.isBroken != true
        }
        guard isSent, lws_partial_buffered(wsi) == 0 else {
            connection.begun(message)
            handedOver(isSent, wsi, session, held)
            return .over(.begun)
        }
        return .over(.sent)
    }

    /// Waits until a caller is done who sends something without holding the loop, before anything else is written to the
    /// socket, or the socket is closed.
    func settle(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let rest = unheldSend.settle(), let wsi = session.wsi else { return }
        let isSent = rest.bytes.map { bytes in reading.whileHandling { giveToLWS(bytes, wsi) } }
        handedOver(isSent == true, wsi, session, held)
    }

    /// lws has been handed the rest of a message, or the connection is broken.
    private func handedOver(
        _ isSent: Bool, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) {
        if isSent {
            awaitTurn(wsi, session, held)
        } else if !goesOn(withoutWriting: wsi) {
            session.abort(held)
        }
    }

    /// - Parameter mustLook: the peer may have ended the connection, and nobody would have noticed.
    private func sendQueued(
        _ wsi: OpaquePointer, mustLook: Bool, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Bool {
        if writeFailed || (mustLook && hasPeerEnded(wsi)) {
            // What the peer sent before it ended must not be lost to a write that can only fail. lws reads it next, or
            // when the application does.
            if postponed != nil {
                tellPostponed(session, held)
            } else if reading.isPaused {
                connection.refuseWrites()
            } else if !writeFailed {
                awaitTurn(wsi, session, held)
            }
            return true
        }
        defer { compression?.keepOutput() }
        var handedOver = 0
        while handedOver < Self.turn || postponed?.isByLWS == true {
            if let compression, compression.hasOutput, connection.phase == .open {
                guard let mask = masks(held)?.next(held),
                    let frame = compression.nextFrame(upTo: connection.limits.maxFrameSize, mask),
                    sendRaw(frame, wsi, session)
                else { return goesOn(withoutWriting: wsi) }
                if tellsOfFrames() { logSealed(CollectionOfOne(FrameHeader.read(frame))) }
                handedOver += frame.count
            } else {
                switch connection.nextFrame(maxSize: compression?.inputSize ?? connection.limits.maxFrameSize) {
                case .none:
                    return true
                case .close(let frame) where postponed?.isByLWS == true:
                    closeByLWS(with: frame, wsi, session, held)
                    return true
                case .close(let frame):
                    session.ends(held)
                    defer { connection.closeFrameLeft() }
                    return send(frame, wsi)
                case .data(let next):
                    guard let count = send(next, wsi, session, held) else { return goesOn(withoutWriting: wsi) }
                    handedOver += count + 1
                }
            }
            guard session.tls?.isBroken != true else { return goesOn(withoutWriting: wsi) }
            // What the operating system did not take lws keeps and sends before it calls again.
            guard lws_partial_buffered(wsi) == 0 else { break }
            guard reportFlushed() else { return true }
        }
        awaitTurn(wsi, session, held)
        return true
    }

    /// The system has refused a write. What the peer has sent before it ended the connection, a close frame perhaps, lws reads
    /// all the same, to the end. Returns whether there is such an end.
    private func goesOn(withoutWriting wsi: OpaquePointer) -> Bool {
        writeFailed = true
        return !reading.isPaused && hasPeerEnded(wsi)
    }

    /// All that lws was given is with the operating system; what is compressed and waits was not given. Returns whether there
    /// is more to be given.
    @discardableResult
    func reportFlushed() -> Bool {
        guard compression?.hasOutput != true else { return true }
        return connection.flushed()
    }

    /// The peer has ended its direction of TCP. What it sent before may be unread.
    func hasPeerEnded(_ wsi: OpaquePointer) -> Bool { SocketPoll.hasEnded(lws_get_socket_fd(wsi)) }

    /// Returns how many bytes went out; `nil` where lws could not send.
    private func send(
        _ next: OutboundQueue.Next, _ wsi: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Int? {
        switch next {
        case .run(let message, let frames):
            return sendSealed(message, message.spans[frames], wsi, session, held)
        case .frame(let frame):
            let message = frame.message
            if let compression, compression.compresses(message) {
                return compression.compress(frame) ? frame.count : nil
            }
            if compression == nil, !message.kind.isControl, frame.count == message.count {
                return sendSealed(message, CollectionOfOne(message.onlySpan), wsi, session, held)
            }
            // lws must not fail to write (``sendRaw(_:_:_:)``).
            return session.tls != nil || !hasPeerEnded(wsi) ? sendByLWS(frame, wsi) : nil
        }
    }

    /// Completes frames and hands them to lws as they are to leave.
    private func sendSealed(
        _ message: OutgoingMessage, _ frames: some Collection<OutgoingMessage.Span>, _ wsi: OpaquePointer,
        _ session: ClientSession, _ held: borrowing HeldLoop
    ) -> Int? {
        guard let bytes = seal(message, frames, held), sendRaw(bytes, wsi, session) else { return nil }
        return bytes.count
    }

    /// Completes frames that lie one behind the other; `nil` where there are no masks for them.
    private func seal(
        _ message: OutgoingMessage, _ frames: some Collection<OutgoingMessage.Span>, _ held: borrowing HeldLoop
    ) -> UnsafeMutableRawBufferPointer? {
        var start: UnsafeMutableRawPointer?
        var count = 0
        for span in frames {
            guard let mask = masks(held)?.next(held) else { return nil }
            let frame = message.seal(span, mask)
            if start == nil { start = frame.baseAddress }
            count += frame.count
        }
        if tellsOfFrames() { logSealed(frames) }
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Returns false where TCP is broken.
    ///
    /// What was received then is to be read all the same, but 4.1 reads no more of a connection on which it could not write
    /// (roles/ws/client-parser-ws.c). So the system is given the bytes here, and lws what it does not take at once; it has none
    /// of before, or this would not be called. Over TLS the write does not fail (``TLSRecords``).
    func sendRaw(
        _ bytes: UnsafeMutableRawBufferPointer, _ wsi: OpaquePointer, _ session: ClientSession
    ) -> Bool {
        guard session.tls == nil else { return giveToLWS(bytes, wsi) }
        guard let sent = Socket.send(UnsafeRawBufferPointer(bytes), to: lws_get_socket_fd(wsi)) else { return false }
        return giveToLWS(UnsafeMutableRawBufferPointer(rebasing: bytes.dropFirst(sent)), wsi)
    }

    private func giveToLWS(_ bytes: UnsafeMutableRawBufferPointer, _ wsi: OpaquePointer) -> Bool {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return true }
        return lws_write(wsi, start.assumingMemoryBound(to: UInt8.self), bytes.count, clws_write_raw) >= 0
    }

    private func masks(_ held: borrowing HeldLoop) -> MaskPool? {
        if maskPool == nil { maskPool = held.resident() }
        return maskPool
    }

    private func sendByLWS(_ frame: OutboundQueue.Frame, _ wsi: OpaquePointer) -> Int? {
        guard let payload = frame.message.payload(from: frame.offset) else { return nil }
        let opcode =
            switch frame.message.kind {
            case .text: frame.isFirst ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION
            case .binary: frame.isFirst ? LWS_WRITE_BINARY : LWS_WRITE_CONTINUATION
            case .ping: LWS_WRITE_PING
            case .pong: LWS_WRITE_PONG
            }
        if frame.message.kind.isControl { frame.message.leftAt = .now }
        // Before lws masks it.
        let ping =
            frame.message.kind == .ping && connection.events.isWatched
            ? WebSocketEvent(.ping, payload: [UInt8](UnsafeRawBufferPointer(start: payload, count: frame.count)))
            : nil
        let flags = frame.isLast ? 0 : LWS_WRITE_NO_FIN.rawValue
        let status = lws_write(
            wsi, payload.assumingMemoryBound(to: UInt8.self), frame.count,
            lws_write_protocol(rawValue: opcode.rawValue | flags))
        guard status >= 0 else { return nil }
        if let ping { connection.events.tell(ping) }
        connection.log.frame(
            .sent, frame.isFirst ? .init(frame.message.kind) : .continuation, bytes: frame.count,
            isFinal: frame.isLast)
        return frame.count
    }

    /// Sends a close frame as an ordinary frame. `lws_close_reason` would do it too, but with waiting times of
    /// lws's own and without telling what the peer answers.
    func send(_ frame: CloseFrame, _ wsi: OpaquePointer) -> Bool {
        closeFrameWasSent = true
        let payload = frame.payload
        connection.log.frame(.sent, .close, bytes: payload.count)
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
}
