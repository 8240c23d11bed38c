// One client's connection: what comes in, what goes out, and when to stop reading.

import CLibWebSockets
import LWSPayload
import LWSServiceLoop

/// One client's connection, from just before its 101 until lws frees it. Lives on the loop.
///
/// At most one received frame waits for the client: while it cannot be sent, nothing more is read, so a client that
/// does not read is soon not able to send either.
final class EchoConnection {
    /// Bytes of one frame that is taken; on `/fragments`, which collects the message, of one message.
    static let frameLimit = 64 << 20

    let wsi: OpaquePointer
    private let path: EchoPath
    private let openingHeaders: String?
    var isEstablished = false
    var compression: FrameCompression?
    var delayedUpgrade: DelayedUpgrade?
    /// How many offers of permessage-deflate lws has asked about so far.
    var offersSeen = 0
    /// The one that is to be agreed to.
    let offer: DeflateOffer?

    /// A close frame was received, or is to be sent: no data any more.
    private var isClosing = false
    let reading = ReadGate()
    private var incoming: [UInt8] = []
    private var textCheck = TextCheck()
    /// The last frame received was not the last one of its message.
    private var isInsideIncoming = false
    /// The last frame sent was not the last one of its message.
    private var isInsideOutgoing = false
    private var waiting: [OutgoingFrame] = []
    private var script: FrameScript?
    private var messages = 0
    private var answerTimer: LoopTimer?

    init(_ wsi: OpaquePointer, _ path: EchoPath, headers: String?, _ offer: DeflateOffer?) {
        self.wsi = wsi
        self.offer = offer
        self.path = path
        openingHeaders = headers
    }

    /// The handshake is done.
    func opened(_ held: borrowing HeldLoop) {
        isEstablished = true
        switch path {
        case .silent:
            pause(held)
            return
        case .push(let count, let size): script = .push(count: count, size: size)
        case .ping(let count): script = .ping(count: count)
        case .headers: script = openingHeaders.map { .single(OutgoingFrame($0.utf8, .text)) }
        case .close, .drop(afterMessages: 0): break
        case .echo, .drop, .slowUpgrade, .refuse, .fragments: return
        }
        reading.awaitWritable(wsi, held)
    }

    /// The close frame of the client; lws answers it with the same code and reason, apart from the codes that it
    /// takes for wrong (below 1000, 1004 to 1006, 1012 to 2999: roles/ws/ops-ws.c, lws_ws_rx_sm), to which it
    /// answers 1002.
    ///
    /// Returns false where it is none (RFC 6455, section 5.5.1), its code is above those that there can be (section 7.4.2), or
    /// its reason is not UTF-8 (section 8.1).
    func closeArrived(_ payload: UnsafeRawBufferPointer, _ held: borrowing HeldLoop) -> Bool {
        // Its answer is the last word: the client, which has closed, has none.
        guard payload.count != 1 else {
            limitAnswer(held)
            return close(1002, Array("close frame of one byte".utf8), held)
        }
        guard payload.isEmpty || Int(payload[0]) << 8 | Int(payload[1]) < 5000 else {
            limitAnswer(held)
            return close(1002, Array("no code of a close frame".utf8), held)
        }
        guard payload.count <= 2 || String(validating: payload.dropFirst(2), as: UTF8.self) != nil else {
            limitAnswer(held)
            return close(1007, Array("the reason is not UTF-8".utf8), held)
        }
        isClosing = true
        return true
    }

    /// lws changes what it waits for on the socket.
    func waitChanged(_ held: borrowing HeldLoop) {
        guard isEstablished else { return }
        reading.waitChanged(wsi, held)
        guard !isClosing, lws_get_close_length(wsi) > 0 else { return }
        // lws is about to answer a breach of the rules with a close frame. It does not know the client's answer any more
        // when that comes, for it goes on to parse where it was (roles/ws/ops-ws.c: lws_ws_rx_sm), and would wait 5 s.
        isClosing = true
        limitAnswer(held)
    }

    private func limitAnswer(_ held: borrowing HeldLoop) {
        // Not twice, whichever way lws tells of another breach: a timer must not be dropped while it is armed.
        guard answerTimer == nil else { return }
        let timer = LoopTimer { [wsi] _ in lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_async) }
        timer.arm(after: Self.answerLimit, held)
        answerTimer = timer
    }

    /// How long a client that was told of a breach has to read that before TCP ends.
    private static let answerLimit = Duration.milliseconds(200)

    /// The connection is gone.
    func stopTimers(_ held: borrowing HeldLoop) {
        reading.stop(held)
        answerTimer?.cancel(held)
        answerTimer = nil
    }

    /// Whether the client can be told that the server stops.
    var takesLeave: Bool { isEstablished && path != .silent && delayedUpgrade == nil }

    /// Closes with 1001 as soon as lws can write to the client.
    func goAway(_ held: borrowing HeldLoop) {
        if takesLeave { reading.awaitWritable(wsi, held) }
    }

    // MARK: - Receiving

    /// A part of a frame as lws has read it: each once, and an empty frame as an empty part. Returns false where the connection has
    /// to end.
    func received(_ bytes: UnsafeRawBufferPointer, _ held: borrowing HeldLoop) -> Bool {
        guard !isClosing else { return true }
        let remaining = lws_remaining_packet_payload(wsi)
        let isFinal = lws_is_final_fragment(wsi) != 0
        if incoming.isEmpty { incoming.append(contentsOf: repeatElement(0, count: OutgoingFrame.headroom)) }
        // What is announced counts too: the client need not send it all to learn that it is too much.
        var fits = remaining <= room - bytes.count
        let isFine = inflated(bytes, endsMessage: isFinal && remaining == 0) { piece in
            fits = fits && piece.count <= room
            if fits { incoming.append(contentsOf: piece) }
            return fits
        }
        guard fits else { return close(1009, Array("frames have 64 MiB at most".utf8), held) }
        guard isFine else { return close(1007, Array("it cannot be inflated".utf8), held) }
        guard remaining == 0 else { return true }
        if isFinal { messages += 1 }
        guard isText(endsMessage: isFinal, held) else {
            return close(1007, Array("the text is not UTF-8".utf8), held)
        }
        if case .fragments(let count) = path {
            if isFinal { startFragments(count, held) }
            return true
        }
        let kind = isInsideIncoming ? .continuation : messageKind(held)
        isInsideIncoming = !isFinal
        return send(OutgoingFrame(withHeadroom: takeIncoming(), kind, isFinal: isFinal), held)
    }

    /// How many bytes of a frame may still come.
    private var room: Int { Self.frameLimit - (incoming.count - OutgoingFrame.headroom) }

    private func inflated(
        _ bytes: UnsafeRawBufferPointer, endsMessage: Bool, _ deliver: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        guard let compression else {
            _ = deliver(bytes)
            return true
        }
        return compression.received(
            bytes, reserved: UInt8(truncatingIfNeeded: lws_get_reserved_bits(wsi)), endsMessage: endsMessage, deliver)
    }

    func pongArrived(_ payload: UnsafeRawBufferPointer, _ held: borrowing HeldLoop) {
        if script?.pongArrived(payload) == true { reading.awaitWritable(wsi, held) }
    }

    private func messageKind(_ held: borrowing HeldLoop) -> OutgoingFrame.Kind {
        lws_frame_is_binary(wsi) != 0 ? .binary : .text
    }

    /// lws would check it too, but takes the bytes of a pong for text (`lws_ws_rx_sm` leaves `check_utf8` on for it).
    private func isText(endsMessage: Bool, _ held: borrowing HeldLoop) -> Bool {
        // There the frames are joined before anything is sent.
        guard messageKind(held) == .text, endsMessage || !isPathOfFragments else { return true }
        return textCheck.accepts(incoming.dropFirst(OutgoingFrame.headroom), isLast: endsMessage)
    }

    private func takeIncoming() -> [UInt8] {
        defer { incoming = [] }
        return incoming
    }

    private func startFragments(_ count: Int, _ held: borrowing HeldLoop) {
        let message = OutgoingFrame(withHeadroom: takeIncoming(), messageKind(held), isFinal: true)
        script = .fragments(of: message, count: count)
        pause(held)
        reading.awaitWritable(wsi, held)
    }

    // MARK: - Sending

    /// Sends at once where nothing is before the frame, or else keeps it and stops reading.
    private func send(_ frame: OutgoingFrame, _ held: borrowing HeldLoop) -> Bool {
        if waiting.isEmpty, script.map({ $0.isWaiting }) ?? true, lws_partial_buffered(wsi) == 0 {
            guard write(frame, held) else { return false }
        } else {
            waiting.append(frame)
        }
        if !waiting.isEmpty || lws_partial_buffered(wsi) != 0 || isDropDue { pause(held) }
        if reading.isPaused || script != nil { reading.awaitWritable(wsi, held) }
        return true
    }

    /// lws can write: one frame, then what comes next. Returns false where the connection has to end.
    func writable(isStopping: Bool, _ held: borrowing HeldLoop) -> Bool {
        guard reading.becameWritable(wsi, held), isEstablished, !isClosing, path != .silent else { return true }
        if isStopping { return close(1001, [], held) }
        if case .close(let code, let reason) = path { return close(code, reason, held) }
        if let frame = nextFrame() {
            guard write(frame, held) else { return false }
            reading.awaitWritable(wsi, held)
            return true
        }
        if isDropDue { return false }
        resume(held)
        return true
    }

    private var isDropDue: Bool {
        if case .drop(let count) = path { messages >= count } else { false }
    }

    /// What goes out next: the script, but never inside an echoed message; received frames while it waits or is
    /// done.
    private func nextFrame() -> OutgoingFrame? {
        if !isInsideOutgoing || waiting.isEmpty && isPathOfFragments, let frame = scripted() { return frame }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }

    /// Here nothing but the script sends, so a message under way is the script's.
    private var isPathOfFragments: Bool {
        if case .fragments = path { true } else { false }
    }

    private func scripted() -> OutgoingFrame? {
        switch script?.next() {
        case .frame(let frame): return frame
        case .wait: return nil
        case .done:
            script = nil
            return nil
        case nil: return nil
        }
    }

    private func write(_ frame: OutgoingFrame, _ held: borrowing HeldLoop) -> Bool {
        if frame.kind != .ping { isInsideOutgoing = !frame.isFinal }
        var frame = frame
        return frame.write(to: wsi, held)
    }

    /// Prepares a close frame, which lws sends once the callback has told it to end the connection.
    private func close(_ code: UInt16, _ reason: [UInt8], _ held: borrowing HeldLoop) -> Bool {
        isClosing = true
        incoming = []
        waiting = []
        script = nil
        var reason = reason
        reason.withUnsafeMutableBufferPointer {
            lws_close_reason(wsi, lws_close_status(rawValue: UInt32(code)), $0.baseAddress, $0.count)
        }
        return false
    }

    // MARK: - Back-pressure

    private func pause(_ held: borrowing HeldLoop) {
        guard !reading.isPaused else { return }
        reading.pause(wsi, held)
    }

    private func resume(_ held: borrowing HeldLoop) {
        guard reading.isPaused else { return }
        reading.resume(wsi, held)
    }
}
