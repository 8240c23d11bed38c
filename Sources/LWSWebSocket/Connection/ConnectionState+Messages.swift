// The messages of one connection as its state has them: what readers take, and what writers give.

internal import DequeModule
internal import LWSServiceLoop

extension ConnectionState {
    /// Messages have arrived. While closing, what no longer fits is dropped, for nobody may ever read it.
    mutating func received(_ messages: inout Deque<WebSocketMessage>) -> (wake: InboundQueue.Woken, pause: Bool) {
        switch phase {
        case .open:
            let woken = inbound.put(&messages)
            return (woken, inbound.pauseIfFull())
        case .closing:
            var woken = InboundQueue.Woken()
            while ending?.violation == nil, inbound.hasRoom, let message = messages.popFirst() {
                woken.append(contentsOf: inbound.put(message))
            }
            messages.removeAll()
            return (woken, false)
        case .unconnected, .connecting, .ended: break
        }
        messages.removeAll()
        return (.init(), false)
    }

    /// A pong has arrived for the handler. Returns whether reading from the socket has to pause.
    mutating func receivedPong() -> Bool {
        inbound.addPong()
        return phase == .open && inbound.pauseIfFull()
    }

    /// The handler has seen a pong.
    mutating func pongHandled() -> Effects {
        inbound.removePong()
        return Effects(resumeReading: phase == .open && inbound.resumeIfDrained())
    }

    /// The handler of pongs waits for the connection, which therefore reads on however many pongs wait for the handler.
    mutating func pongHandlerWaits() -> Effects {
        inbound.ignorePongs()
        return Effects(resumeReading: phase == .open && inbound.resumeIfDrained())
    }

    /// Takes the next message, or queues the reader. After the end, what had arrived can still be read.
    /// - Parameter task: how a reader is woken who is suspended; `nil` for one who is blocked.
    mutating func read(
        _ wish: InboundQueue.Wish, waking task: TaskSignal? = nil
    ) -> (InboundQueue.TakeResult, resume: Bool) {
        if inbound.isEmpty, phase != .open, !isTakingLeave { return (.served(.ended), false) }
        let result = inbound.take(wish, waking: task)
        return (result, phase == .open && inbound.resumeIfDrained())
    }

    /// Takes the next message, if there is one.
    mutating func takeNow(_ wish: InboundQueue.Wish) -> (InboundQueue.Served?, resume: Bool) {
        let served = inbound.takeNow(wish)
        return (served, phase == .open && inbound.resumeIfDrained())
    }

    /// Queues a message. Returns false where the connection takes none. Before the close frame has left it does, but sends none.
    mutating func write(_ message: OutgoingMessage) -> Bool {
        guard phase == .open || isTakingLeave else { return false }
        message.outcome = nil
        outbound.put(message)
        return true
    }

    var depth: ClientMetrics.Depth { .init(unread: inbound.count, unsent: outbound.count) }

    /// Nothing waits to be sent.
    var mayWrite: Bool { phase == .open && outbound.count == 0 }

    /// A message that was not queued has begun to leave.
    mutating func begun(_ message: OutgoingMessage) {
        if phase == .ended { message.outcome = .cut } else { outbound.putLeaving(message) }
    }

    /// The time for a write is up. Returns its outcome if it has one, else takes the message back; where some of
    /// it has left, that is only possible by ending the connection.
    mutating func withdraw(_ message: OutgoingMessage) -> WithdrawResult {
        if let outcome = message.outcome { return .late(outcome) }
        if outbound.withdraw(message) { return .withdrawn }
        return .begun(giveUp(Ending(initiator: .local)))
    }

    /// Nobody waits for a message any more. Returns its outcome if it has one, else takes it back; where some of it has left,
    /// the rest follows without anybody's waiting for it.
    mutating func letGo(_ message: OutgoingMessage) -> LetGoResult {
        if let outcome = message.outcome { return .late(outcome) }
        return outbound.withdraw(message) ? .withdrawn : .begun
    }

    enum LetGoResult {
        case late(OutgoingMessage.Outcome)
        case withdrawn, begun
    }

    /// Whether somebody waits for what the peer sends.
    var isListenedTo: Bool { inbound.hasReaders || ownPings.isAwaited }

    /// Whether somebody may be about to answer a message: one was taken, or waits, and nobody waits for what comes next.
    var mayBeAnswered: Bool { phase == .open && !isListenedTo && inbound.hasServed }

    /// Whether somebody waits for what the peer sends, or for it to take what is to be sent.
    var isWaitedFor: Bool { inbound.hasReaders || outbound.count > 0 }

    /// Takes a control frame back. Returns false where it has left.
    mutating func takeBack(_ control: OutgoingMessage) -> Bool { outbound.withdraw(control) }

    enum WithdrawResult {
        case late(OutgoingMessage.Outcome), withdrawn
        case begun(Effects)
    }

    // MARK: - The side of the loop that writes

    enum NextFrame {
        case data(OutboundQueue.Next)
        case close(CloseFrame)
        case none
    }

    mutating func nextFrame(maxFrameSize: Int, runSize: Int = 1 << 17) -> NextFrame {
        if phase == .closing, let frame = takeCloseFrame() { return .close(frame) }
        guard phase == .open, let next = outbound.next(maxFrameSize: maxFrameSize, runSize: runSize) else {
            return .none
        }
        return .data(next)
    }

    mutating func flushed() -> [CallerSignal] { outbound.flushed() }

    /// Whether ``nextFrame(maxFrameSize:runSize:)`` has anything to give.
    var hasNextFrame: Bool {
        switch phase {
        case .open: !outbound.isDrained
        case .closing: closeFrameToSend != nil
        case .unconnected, .connecting, .ended: false
        }
    }
}
