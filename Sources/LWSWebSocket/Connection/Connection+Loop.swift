// What the loop tells an open connection, and takes from it.

internal import DequeModule
internal import LWSServiceLoop

extension Connection {
    /// Returns false where nobody waits for the connection any more.
    func opened(
        _ head: ResponseHead?, subProtocol: String? = nil, tls: TLSInfo? = nil, compresses: Bool = false
    ) -> Bool {
        update { state in
            let effects = state.opened(head, subProtocol: subProtocol, tls: tls, compresses: compresses)
            return (effects != nil, effects)
        }
    }

    /// Takes all messages out of the queue. Returns whether reading from the socket has to pause, and how much may come
    /// before that, at least, where it has not.
    func received(_ messages: inout Deque<WebSocketMessage>) -> (pause: Bool, room: InboundQueue.Room) {
        if ClientMetrics.isOn { metrics.received(messages) }
        let (readers, pause, room) = query { state in
            let (readers, pause) = state.received(&messages)
            return (readers, pause, state.inbound.room)
        }
        readers.signal()
        return (pause, room)
    }

    /// A pong to a ping of our own goes to those who wait for it, any other to the application's handler.
    /// Returns whether reading from the socket has to pause.
    func receivedPong(_ payload: UnsafeRawBufferPointer, at arrival: LoopClock.Instant) -> Bool {
        events.tell(WebSocketEvent(.pong, payload: [UInt8](payload)))
        if let answer = query({ $0.ownPings.answered(payload, at: arrival) }) {
            metrics.measured(roundTrip: answer.roundTrip)
            for trip in answer.trips { trip.semaphore.signal() }
            return false
        }
        guard let pongs else { return false }
        // Counted first, for the handler may be done with it at once.
        let pause = query { $0.receivedPong() }
        let isTaken = pongs.deliver([UInt8](payload)) { [self] in
            update { state in ((), state.pongHandled()) }
        }
        guard isTaken else {
            update { state in ((), state.pongHandled()) }
            return false
        }
        return pause
    }

    /// Whether a close frame of this side waits to be sent, or is being sent.
    var isTakingLeave: Bool { query { $0.isTakingLeave } }

    /// The close frame of this side is with the operating system, or cannot be for now.
    func closeFrameLeft() {
        update { state in ((), state.closeFrameLeft()) }
    }

    func received(_ frame: CloseFrame) {
        update { state in ((), state.received(frame)) }
    }

    /// A message that was not queued has begun to leave, and is not all with the operating system yet.
    func begun(_ message: OutgoingMessage) {
        query { $0.begun(message) }
    }

    /// The peer has ended TCP, and what it sent before waits for a reader: nothing is written any more.
    func refuseWrites() {
        update { state in ((), state.refuseWrites()) }
    }

    func failed(_ violation: Violation) {
        update { state in ((), state.fail(violation)) }
    }

    /// - Parameter maxSize: the most of a message that is asked for.
    func nextFrame(maxSize: Int) -> ConnectionState.NextFrame {
        query { $0.nextFrame(maxFrameSize: maxSize) }
    }

    /// All that ``nextFrame(maxSize:)`` gave is with the operating system. Returns whether it has more to give.
    @discardableResult
    func flushed() -> Bool {
        let (sent, senders, hasMore) = query { state in
            let sent = ClientMetrics.isOn ? state.outbound.leavingTraffic : .init()
            return (sent, state.flushed(), state.hasNextFrame)
        }
        metrics.sent(sent)
        for sender in senders { sender.signal() }
        return hasMore
    }
}
