// The life of one connection as a state machine: no I/O, no locks, no threads.

internal import HTTPTypes
internal import LWSServiceLoop

/// Everything about a connection that callers and the loop share. ``Connection`` keeps it behind a lock; every
/// method changes the state and returns what has to be done once the lock is released.
struct ConnectionState {
    enum Phase: Sendable {
        /// Made, but not asked to connect.
        case unconnected
        /// Resolving, connecting, or in the handshake.
        case connecting
        case open
        /// A close frame has been sent or received, or is about to be sent.
        case closing
        /// TCP has ended, or nobody will look at it again.
        case ended
    }

    private(set) var phase = Phase.unconnected
    @Boxed private(set) var ending: Ending?
    private(set) var hasOpened = false
    /// The answer to the handshake.
    private(set) var head: ResponseHead?
    /// What the server has chosen of the sub-protocols offered.
    private(set) var subProtocol: String?
    @Boxed private(set) var tlsInfo: TLSInfo?
    /// Messages are compressed before they are cut into frames.
    private(set) var compresses = false
    var inbound: InboundQueue
    var outbound = OutboundQueue()
    var ownPings = OwnPings()
    private(set) var closeFrameToSend: CloseFrame?
    /// The close frame of this side has not left. Until then nobody who calls learns that the connection ends: whoever does
    /// may end the process, and the frame would never leave.
    private(set) var isTakingLeave = false
    /// How long an answer is waited for where the peer broke a rule behind the message. Tests have another.
    var patience = Duration.seconds(1)
    private var openers: [CallerSignal] = []
    private var closers: [CallerSignal] = []

    /// What is to be done after the lock is released.
    struct Effects {
        var wake: [CallerSignal] = []
        var requestWrite = false
        /// The same, on this thread if that can be.
        var sendNow = false
        var resumeReading = false
        var abort = false
        /// The longest time the connection may go on.
        var endAfter: Duration?
        /// What those who watch the client are told.
        var milestone: Milestone?
    }

    /// A step in the connection's life that shows outside.
    enum Milestone: Sendable {
        case opened, closing, ended
    }

    /// - Parameter inbound: what the connection before this one had received and nobody has read.
    init(inbound: InboundQueue = InboundQueue()) { self.inbound = inbound }

    /// How it has ended, where it was open before. Of an attempt that has failed its maker tells.
    var endingOnceOpen: Ending? { hasOpened ? ending : nil }

    // MARK: - Opening

    /// - Returns: false where it has been begun, or ended, before.
    mutating func beginConnecting(waking opener: CallerSignal) -> Bool {
        guard phase == .unconnected else { return false }
        phase = .connecting
        openers.append(opener)
        return true
    }

    /// The handshake is done. Returns false where it comes too late, and the connection is not wanted any more.
    mutating func opened(
        _ head: ResponseHead?, subProtocol: String? = nil, tls: TLSInfo? = nil, compresses: Bool = false
    ) -> Effects? {
        guard phase == .connecting else { return nil }
        phase = .open
        hasOpened = true
        self.head = head
        self.subProtocol = subProtocol
        tlsInfo = tls
        self.compresses = compresses
        defer { openers = [] }
        return Effects(wake: openers, milestone: .opened)
    }

    // MARK: - Ending

    /// This side closes. Returns nil where the end has begun already.
    mutating func close(with frame: CloseFrame, limit: Duration? = nil) -> Effects? {
        switch phase {
        case .unconnected:
            phase = .ended
            ending = Ending(initiator: .local, sent: frame)
            return Effects()
        case .connecting:
            var effects = end(Ending(initiator: .local, sent: frame))
            effects.abort = true
            return effects
        case .open:
            var effects = beginClosing(Ending(initiator: .local, sent: frame), sending: frame)
            effects.endAfter = limit
            return effects
        case .closing, .ended:
            return nil
        }
    }

    /// The peer broke a rule: this side answers with the close frame that says so.
    mutating func fail(_ violation: Violation) -> Effects {
        guard phase == .open else { return Effects() }
        let frame = violation.closeFrame
        var effects = beginClosing(
            Ending(initiator: .local, sent: frame, violation: violation), sending: frame)
        effects.endAfter = .seconds(3)
        return effects
    }

    /// The peer's close frame has arrived, and the answer has left, unless this side's went first.
    mutating func received(_ frame: CloseFrame) -> Effects {
        switch phase {
        case .open:
            return beginClosing(Ending(initiator: .peer, received: frame), sending: nil)
        case .closing:
            if ending?.received == nil { ending?.received = frame }
            return closeFrameLeft()
        case .unconnected, .connecting, .ended:
            return Effects()
        }
    }

    /// TCP is gone.
    mutating func transportEnded(violation: Violation?) -> Effects {
        guard phase != .ended else { return Effects() }
        return end(ending ?? Ending(initiator: violation == nil ? .network : .local, violation: violation))
    }

    /// This side waits no longer: whatever TCP does, the connection is over for its callers.
    mutating func giveUp(_ ending: Ending) -> Effects {
        guard phase != .ended else { return Effects() }
        var effects = end(self.ending ?? ending)
        effects.abort = true
        return effects
    }

    /// Whether a caller of close has to wait, who is signalled when the connection has ended.
    mutating func waitForEnd(waking closer: CallerSignal) -> Bool {
        guard phase != .ended else { return false }
        closers.append(closer)
        return true
    }

    /// The close frame of this side is with the operating system, or cannot be for now.
    mutating func closeFrameLeft() -> Effects {
        guard isTakingLeave else { return Effects() }
        isTakingLeave = false
        return Effects(wake: endWaiters())
    }

    /// What this side wants to close with, where that waits to be sent.
    mutating func takeCloseFrame() -> CloseFrame? {
        defer { closeFrameToSend = nil }
        return closeFrameToSend
    }

    private mutating func beginClosing(_ ending: Ending, sending frame: CloseFrame?) -> Effects {
        phase = .closing
        self.ending = ending
        closeFrameToSend = frame
        isTakingLeave = frame != nil
        var effects = Effects(wake: isTakingLeave ? [] : endWaiters(), milestone: .closing)
        effects.requestWrite = isTakingLeave
        // What the peer still sends has to be read past, or its close frame could not be seen.
        effects.resumeReading = inbound.endPause()
        return effects
    }

    private mutating func end(_ ending: Ending) -> Effects {
        phase = .ended
        self.ending = ending
        closeFrameToSend = nil
        isTakingLeave = false
        defer {
            openers = []
            closers = []
        }
        return Effects(wake: endWaiters() + openers + closers, milestone: .ended)
    }

    /// Writers end, readers go on.
    mutating func refuseWrites() -> Effects {
        guard phase == .open else { return Effects() }
        return Effects(wake: outbound.end() + ownPings.end().map(\.signal))
    }

    private mutating func endWaiters() -> [CallerSignal] {
        inbound.endReaders().map(\.signal) + outbound.end() + ownPings.end().map(\.signal)
    }
}
