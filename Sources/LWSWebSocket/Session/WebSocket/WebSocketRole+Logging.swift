// An open connection's frames, in its log.

internal import CLibWebSockets
internal import Logging
internal import LWSServiceLoop

extension WebSocketRole {
    /// A data frame that is arriving, as far as it has.
    struct ArrivingFrame {
        let kind: ConnectionLog.FrameKind
        var bytes = 0
    }

    /// Whether the log is told of frames.
    ///
    /// Its level is looked at with each 256th: to ask a swift-log handler takes a tenth of the time of a short message. So a
    /// level that an application changes meanwhile counts a little later.
    struct FrameLog {
        fileprivate(set) var isOn = false
        /// The application has asked for what messages say as well.
        fileprivate(set) var showsPayloads = false
        fileprivate var left: Int32 = 0
    }

    @inline(__always)
    func tellsOfFrames() -> Bool {
        if frameLog.left == 0 { lookAtLevel() }
        frameLog.left -= 1
        return frameLog.isOn
    }

    private func lookAtLevel() {
        let log = connection.log
        frameLog = FrameLog(isOn: log.takes(.debug), showsPayloads: log.showsPayloads, left: 256)
    }

    /// A piece of a data frame has arrived, before it is dealt with. The frame is told of with its last piece.
    func logPiece(of count: Int, _ wsi: OpaquePointer) {
        let assembler = arrivals.assembler
        let isNew = !assembler.isInsideFrame
        var frame =
            if !isNew, let arrivingFrame { arrivingFrame } else {
                ArrivingFrame(kind: kind(ofFrameOn: wsi, assembler))
            }
        frame.bytes += count
        arrivingFrame = frame
        guard lws_remaining_packet_payload(wsi) == 0 else { return }
        arrivingFrame = nil
        connection.log.frame(.received, frame.kind, bytes: frame.bytes, isFinal: lws_is_final_fragment(wsi) != 0)
    }

    private func kind(ofFrameOn wsi: OpaquePointer, _ assembler: MessageAssembler) -> ConnectionLog.FrameKind {
        guard assembler.isBetweenMessages else { return .continuation }
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
