// Compressed messages of one connection, both ways.

internal import CLibWebSockets
internal import LWSPayload
internal import LWSServiceLoop

/// permessage-deflate by ``MessageInflater`` and ``MessageDeflater``, from the frames that lws delivers and to frames that are
/// handed to it as they are to leave.
///
/// lws's own (roles/ws/ext/extension-permessage-deflate.c, the same in 4.1.6 and 4.5.8) leaves output for later: a pong that
/// falls due meanwhile is sent as a part of the message, a ping as a text, and what lies there is read from memory that others
/// use. In 4.1 it delivers a message that is not compressed, or a pong, without end.
final class CompressedTraffic {
    private let agreement: CompressionAgreement
    private let inflater: MessageInflater
    /// Made with the first message that is compressed.
    private var deflater: MessageDeflater?
    private let rooms: CompressionRooms
    /// The message under way is compressed.
    private var isInflating = false

    /// Compressed bytes that are not sent yet: in the loop's room in the turn that has made them, later in `kept`.
    private var output = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Where `output` lies, where it is not in the loop's room.
    private var kept: UnsafeMutableRawBufferPointer?
    private var kind = OutgoingMessage.Kind.text
    private var outputEndsMessage = false
    private var isFirstFrameDue = false

    /// The most of a message that is compressed at once; `nil` where nothing is compressed.
    var inputSize: Int? { canCompress ? 1 << 16 : nil }

    /// zlib makes no raw deflate data with a window of 8 bits (`deflateInit2`).
    private var canCompress: Bool { agreement.clientWindowBits >= 9 }

    /// `nil` where there is no memory.
    init?(_ agreement: CompressionAgreement, _ held: borrowing HeldLoop) {
        guard let rooms = held.resident(CompressionRooms.self) else { return nil }
        let inflater = MessageInflater(
            windowBits: agreement.serverWindowBits, forgets: agreement.serverNoContextTakeover, in: rooms.inflating)
        guard let inflater else { return nil }
        self.inflater = inflater
        self.agreement = agreement
        self.rooms = rooms
    }

    deinit { forgetKept() }

    // MARK: - In

    /// A part of a data frame has arrived, as it was sent. Delivers what it means.
    func received(
        _ bytes: UnsafeRawBufferPointer, _ wsi: OpaquePointer, _ role: WebSocketRole, _ session: ClientSession,
        _ held: borrowing HeldLoop
    ) {
        guard !role.isDeaf else { return }
        if !role.arrivals.assembler.isInsideFrame {
            // RSV1 stands in the first frame of a message and nowhere else (section 6.1), RSV2 and RSV3 nowhere.
            let reserved = lws_get_reserved_bits(wsi)
            let isFirst = role.arrivals.assembler.isBetweenMessages
            guard reserved == 0 || (isFirst && reserved == 0x40) else {
                return role.fail(.reservedBits, session, held)
            }
            if isFirst { isInflating = reserved != 0 }
        }
        let kind: MessageKind = lws_frame_is_binary(wsi) != 0 ? .binary : .text
        let endsMessage = lws_is_final_fragment(wsi) != 0
        var piece = MessageAssembler.Piece(
            bytes: bytes, kind: kind, remainingInFrame: lws_remaining_packet_payload(wsi), endsMessage: endsMessage)
        guard isInflating else { return role.deliver(piece, session, held) }
        piece.inflatedFrom = bytes.count
        let isFine = inflater.inflate(bytes, endsMessage: endsMessage) { inflated, isLast in
            piece.bytes = inflated
            piece.endsMessage = isLast
            role.deliver(piece, session, held)
            piece.inflatedFrom = 0
            return !role.isDeaf
        }
        guard !isFine else { return }
        if inflater.lacksMemory { role.giveUp(session, held) } else { role.fail(.undecodable, session, held) }
    }

    // MARK: - Out

    /// Whether a message of that many bytes is to be compressed. Of an empty one nothing would be saved.
    func compresses(_ message: OutgoingMessage) -> Bool {
        canCompress && !message.kind.isControl && message.count > 0
    }

    /// Whether compressed bytes wait to be sent.
    var hasOutput: Bool { !output.isEmpty }

    /// Compresses a part of a message, which gives output now or with a later part. Returns whether zlib could.
    func compress(_ frame: OutboundQueue.Frame) -> Bool {
        guard let payload = frame.message.payload(from: frame.offset) else { return false }
        if frame.isFirst { isFirstFrameDue = true }
        kind = frame.message.kind
        outputEndsMessage = frame.isLast
        if deflater == nil {
            deflater = MessageDeflater(
                windowBits: agreement.clientWindowBits, level: agreement.level,
                forgets: agreement.clientNoContextTakeover)
        }
        let part = UnsafeRawBufferPointer(start: payload, count: frame.count)
        guard let made = deflater?.deflate(part, endsMessage: frame.isLast, into: rooms.deflating) else {
            return false
        }
        // What was kept has left.
        forgetKept()
        output = made
        return true
    }

    private func forgetKept() {
        kept?.deallocate()
        kept = nil
    }

    /// Others use the loop's room next: takes what is left there away.
    func keepOutput() {
        guard !output.isEmpty else { return forgetKept() }
        guard kept == nil else { return }
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: CompressionRooms.headroom + output.count, alignment: 1)
        let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[CompressionRooms.headroom...])
        bytes.copyMemory(from: UnsafeRawBufferPointer(output))
        (kept, output) = (memory, bytes)
    }

    /// Completes a frame of what is compressed, of at most `limit` bytes, as it is to leave. `nil` where nothing is left.
    ///
    /// What the operating system does not take of a frame lws copies, so the header of the next may be written over the end of
    /// this one; before the first there is room for it.
    func nextFrame(upTo limit: Int, _ mask: UInt32) -> UnsafeMutableRawBufferPointer? {
        let count = min(limit, output.count)
        guard count > 0, let payload = output.baseAddress else { return nil }
        output = UnsafeMutableRawBufferPointer(rebasing: output[count...])
        let opcode: UInt8 = if !isFirstFrameDue { 0 } else if kind == .text { 1 } else { 2 }
        let length = FrameHeader.length(of: count)
        let span = OutgoingMessage.Span(
            opcode: opcode, isFinal: outputEndsMessage && output.isEmpty, start: length, count: count)
        let frame = UnsafeMutableRawBufferPointer(start: payload - length, count: length + count)
        FrameHeader.write(span, mask, to: frame)
        // RSV1 says that a message is compressed, in its first frame (RFC 7692, section 6).
        if isFirstFrameDue { frame[0] |= 0x40 }
        isFirstFrameDue = false
        return frame
    }
}

/// Where the compressed connections of a loop have what they are handed on from, one at a time.
final class CompressionRooms: LoopResident {
    /// For the first frame's header.
    static let headroom = OutgoingMessage.headroom

    let inflating = InflaterRoom()
    let deflating = DeflaterRoom(headroom: CompressionRooms.headroom)

    init?(_ held: borrowing HeldLoop) {}
}
