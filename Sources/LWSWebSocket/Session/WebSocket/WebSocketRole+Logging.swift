// An open connection's frames, in its log.

internal import CLibWebSockets
internal import Logging
internal import LWSServiceLoop

extension WebSocketRole {
    /// Whether the log is told of frames, and of the one that is arriving as far as it has.
    ///
    /// The log's level is looked at with each 256th piece or run of frames: to ask a swift-log handler takes a tenth of the time
    /// of a short message. So a level that an application changes meanwhile counts a little later.
    struct FrameLog {
        fileprivate(set) var isOn = false
        /// The application has asked for what messages say as well.
        fileprivate(set) var showsPayloads = false
        fileprivate var left: Int32 = 0
        fileprivate var arriving = Arriving()

        /// As lws delivers frames: the assembler stops looking at them when the peer has broken a rule.
        struct Arriving {
            var kind: ConnectionLog.FrameKind?
            var bytes = 0
            var isInsideMessage = false
            /// It had begun when the log was off.
            var isPartial = false
        }
    }

    @inline(__always)
    func tellsOfFrames() -> Bool {
        if frameLog.left == 0 { lookAtLevel() }
        frameLog.left -= 1
        return frameLog.isOn
    }

    private func lookAtLevel() {
        let log = connection.log
        let wasOn = frameLog.isOn
        frameLog.isOn = log.takes(.debug)
        frameLog.showsPayloads = log.showsPayloads
        frameLog.left = 256
        guard frameLog.isOn, !wasOn else { return }
        frameLog.arriving = .init(
            isInsideMessage: !arrivals.assembler.isBetweenMessages,
            isPartial: arrivals.assembler.isInsideFrame || isDeaf)
    }

    /// A piece of a data frame has arrived. The frame is told of with its last piece.
    func logPiece(of count: Int, _ wsi: OpaquePointer) {
        var frame = frameLog.arriving
        let kind = frame.kind ?? self.kind(ofFrameOn: wsi, isFirst: !frame.isInsideMessage)
        (frame.kind, frame.bytes) = (kind, frame.bytes + count)
        guard lws_remaining_packet_payload(wsi) == 0 else {
            frameLog.arriving = frame
            return
        }
        let isFinal = lws_is_final_fragment(wsi) != 0
        // Before the handler is called, which may have more frames delivered.
        frameLog.arriving = .init(isInsideMessage: !isFinal)
        if !frame.isPartial { connection.log.frame(.received, kind, bytes: frame.bytes, isFinal: isFinal) }
    }

    private func kind(ofFrameOn wsi: OpaquePointer, isFirst: Bool) -> ConnectionLog.FrameKind {
        guard isFirst else { return .continuation }
        return lws_frame_is_binary(wsi) != 0 ? .binary : .text
    }

    /// Frames are about to be handed to the system.
    func logSealed(_ frames: some Collection<OutgoingMessage.Span>) {
        for span in frames {
            connection.log.frame(.sent, .init(opcode: span.opcode), bytes: span.count, isFinal: span.isFinal)
        }
    }

    /// Stops reading from the socket until the application reads on.
    func pauseReading(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        if !reading.isPaused { connection.log.write(.debug, "reading pauses: too much waits to be read") }
        reading.pause(wsi, held)
    }

    func logResumption() { connection.log.write(.debug, "reading goes on") }
}
