// Compressed messages of one connection, both ways.

internal import CLibWebSockets
internal import LWSServiceLoop

/// Has lws's permessage-deflate compress, and keeps it away from what it cannot do; what comes in is decompressed by
/// ``MessageInflater``.
///
/// `lws_extension_callback_pm_deflate` (roles/ws/ext/extension-permessage-deflate.c, in this the same in 4.1.6 and 4.5.8)
/// is called with whole chunks, and lws's way of coming back to it later is never used. That way has these holes, which
/// end the process or the connection's sense where the peer wants it:
/// - a message that is not compressed, or a pong, is delivered without end (4.1);
/// - output that is left for later is read from memory that others use meanwhile;
/// - a pong that falls due while compressed output waits is sent as a part of the message;
/// - a ping after a frame that gave no output yet is sent as a text;
/// - compressed output whose last four bytes straddle two buffers fails `assert(0)` ("want to trim out length");
/// - so does an empty message after another one;
/// - while a message's last chunk is drained, `lws_is_final_fragment` says that the message has ended (4.5).
final class CompressedTraffic {
    private let agreement: CompressionAgreement
    private let list: UnsafePointer<lws_extension>
    /// lws's own state of the extension, with both zlib streams.
    private let state: UnsafeMutableRawPointer
    private let inflater: MessageInflater
    /// The message under way is compressed.
    private var isInflating = false

    /// Compressed bytes, in lws's buffer, that are not sent yet.
    private var output = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var kind = OutgoingMessage.Kind.text
    private var outputEndsMessage = false
    private var isFirstFrameDue = false

    /// The most of a message that is compressed at once; `nil` where nothing is compressed.
    var inputSize: Int? { agreement.canCompress ? 1 << 16 : nil }

    /// The size of the buffer for it as a power of two: more than what is compressed at once becomes, together with what
    /// zlib has held back before (a block of 16,383 literals, or 32 KiB stored).
    private static let outputBits = 17

    /// `nil` where there is no memory.
    init?(
        _ agreement: CompressionAgreement, _ list: UnsafePointer<lws_extension>, state: UnsafeMutableRawPointer,
        _ held: borrowing HeldLoop
    ) {
        guard let room = held.resident(InflaterRoom.self) else { return nil }
        let inflater = MessageInflater(
            windowBits: agreement.serverWindowBits, forgets: agreement.serverNoContextTakeover, in: room)
        guard let inflater else { return nil }
        self.inflater = inflater
        self.agreement = agreement
        self.list = list
        self.state = state
    }

    /// Tells lws's extension what was agreed. Returns its verdict.
    func setOptions(_ wsi: OpaquePointer) -> Int32 {
        set("server_no_context_takeover", agreement.serverNoContextTakeover ? 1 : 0, wsi)
        set("client_no_context_takeover", agreement.clientNoContextTakeover ? 1 : 0, wsi)
        set("server_max_window_bits", agreement.serverWindowBits, wsi)
        set("client_max_window_bits", agreement.clientWindowBits, wsi)
        set("compression_level", agreement.level, wsi)
        set("tx_buf_size", Self.outputBits, wsi)
        return call(LWS_EXT_CB_OPTION_CONFIRM, nil, 0, wsi)
    }

    /// Frees lws's state, in LWS_CALLBACK_WSI_DESTROY. lws would do it later, but forgets it where a handshake fails after
    /// the extension was agreed to (rops_destroy_role_h1 frees the connection's WebSocket part alone).
    func destroy(_ wsi: OpaquePointer) { _ = call(LWS_EXT_CB_DESTROY, nil, 0, wsi) }

    private func set(_ name: String, _ value: Int, _ wsi: OpaquePointer) {
        name.withCString { name in
            String(value).withCString { text in
                var option = lws_ext_option_arg()
                option.option_name = name
                option.start = text
                option.len = Int32(strlen(text))
                _ = call(LWS_EXT_CB_NAMED_OPTION_SET, &option, 0, wsi)
            }
        }
    }

    private func call(
        _ reason: lws_extension_callback_reasons, _ argument: UnsafeMutableRawPointer?, _ length: Int,
        _ wsi: OpaquePointer
    ) -> Int32 {
        clws_deflate(wsi, list, reason, state, argument, length)
    }

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
        if !isFine { role.fail(.undecodable, session, held) }
    }

    // MARK: - Out

    /// Whether a message of that many bytes is to be compressed. An empty one is not: lws's extension cannot.
    func compresses(_ message: OutgoingMessage) -> Bool {
        agreement.canCompress && !message.kind.isControl && message.count > 0
    }

    /// Whether compressed bytes wait to be sent.
    var hasOutput: Bool { !output.isEmpty }

    /// Compresses a part of a message, which gives output now or with a later part. Returns whether zlib could.
    func compress(_ frame: OutboundQueue.Frame, _ wsi: OpaquePointer) -> Bool {
        guard let payload = frame.message.payload(from: frame.offset) else { return false }
        if frame.isFirst { isFirstFrameDue = true }
        kind = frame.message.kind
        outputEndsMessage = frame.isLast
        let opcode = frame.isFirst ? LWS_WRITE_BINARY : LWS_WRITE_CONTINUATION
        let type = Int(opcode.rawValue | (frame.isLast ? 0 : LWS_WRITE_NO_FIN.rawValue))
        var buffers = clws_extension_buffers()
        buffers.eb_in = lws_tokens(token: payload.assumingMemoryBound(to: UInt8.self), len: Int32(frame.count))
        let result = call(LWS_EXT_CB_PAYLOAD_TX, &buffers, type, wsi)
        guard result == (frame.isLast ? clws_extension_final : clws_extension_not_final) else { return false }
        output = UnsafeMutableBufferPointer(start: buffers.eb_out.token, count: Int(buffers.eb_out.len))
        // At the end of a message this is where lws's extension forgets it, if that was agreed.
        var head: UInt8 = frame.isLast ? 0x80 : 0
        withUnsafeMutablePointer(to: &head) { head in
            buffers.eb_in = lws_tokens(token: head, len: 1)
            _ = call(LWS_EXT_CB_PACKET_TX_PRESEND, &buffers, 0, wsi)
        }
        return true
    }

    /// Completes a frame of what is compressed, of at most `limit` bytes, as it is to leave. `nil` where nothing is left.
    ///
    /// What the operating system does not take of a frame lws copies, so the header of the next may be written over the end of
    /// this one; before the first there is room for lws's own.
    func nextFrame(upTo limit: Int, _ mask: UInt32) -> UnsafeMutableRawBufferPointer? {
        let count = min(limit, output.count)
        guard count > 0, let payload = output.baseAddress else { return nil }
        output = UnsafeMutableBufferPointer(rebasing: output[count...])
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
