// Compressed messages of one connection, both ways.

internal import CLibWebSockets

/// Has lws's permessage-deflate compress and decompress, and keeps it away from what it cannot do.
///
/// `lws_extension_callback_pm_deflate` (roles/ws/ext/extension-permessage-deflate.c, in this the same in 4.1.6 and 4.5.8)
/// is called with whole chunks, in a loop of our own, and lws's way of coming back to it later is never used. That way
/// has these holes, the first six of which end the process or the connection's sense where the peer wants it:
/// - a message that is not compressed, or a pong, is delivered without end (4.1);
/// - a last chunk that inflates to more than the room left fails `assert(priv->rx.avail_out)`, or loses its end;
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
    private var input: [UInt8] = []

    /// Compressed bytes, in lws's buffer, that are not sent yet.
    private var output = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var kind = OutgoingMessage.Kind.text
    private var outputEndsMessage = false
    private var isFirstFrameDue = false
    private var marksNextPacket = false

    /// The most of a message that is compressed at once; `nil` where nothing is compressed.
    var inputSize: Int? { agreement.canCompress ? 1 << 16 : nil }

    /// The size of the buffer for it as a power of two: more than what is compressed at once becomes, together with what
    /// zlib has held back before (a block of 16,383 literals, or 32 KiB stored).
    private static let outputBits = 17
    /// The same for what is inflated: 4,096, the vhost's receive buffer, for lws allows no more.
    private static let inflatedBits = 12

    init(_ agreement: CompressionAgreement, _ list: UnsafePointer<lws_extension>, state: UnsafeMutableRawPointer) {
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
        set("rx_buf_size", Self.inflatedBits, wsi)
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

    /// Bytes that end a message: the empty block's rest that RFC 7692, section 7.2.2 puts back, and the first byte of
    /// another empty block. lws's extension adds that one's rest when it has read everything, and by then zlib has
    /// given out everything: it reads nothing of a block before it is done with the one before.
    private static let end: [UInt8] = [0, 0, 0xff, 0xff, 0]

    /// A chunk of a frame has arrived. Delivers what it inflates to. Returns what lws is told: to deliver the chunk as
    /// it is, or that nothing is left to deliver.
    func received(_ chunk: lws_tokens, _ wsi: OpaquePointer, _ session: ClientSession) -> Int32 {
        guard !session.isDeaf else { return clws_extension_did_nothing }
        let endsMessage = lws_is_final_fragment(wsi) != 0
        input.removeAll(keepingCapacity: true)
        input.append(contentsOf: UnsafeBufferPointer(start: chunk.token, count: Int(chunk.len)))
        if endsMessage { input.append(contentsOf: Self.end) }
        let result = input.withUnsafeMutableBufferPointer { input in
            inflate(input, count: Int(chunk.len), endsMessage: endsMessage, wsi, session)
        }
        switch result {
        case .done: return clws_extension_did_nothing
        case .notCompressed: return clws_extension_leave_it
        case .violation(let violation):
            session.fail(violation)
            return clws_extension_did_nothing
        }
    }

    private enum Inflated {
        case done
        /// A message that is not compressed, or a pong.
        case notCompressed
        case violation(Violation)
    }

    private func inflate(
        _ input: UnsafeMutableBufferPointer<UInt8>, count: Int, endsMessage: Bool, _ wsi: OpaquePointer,
        _ session: ClientSession
    ) -> Inflated {
        let isFirst = session.assembler.isBetweenMessages
        let reserved = lws_get_reserved_bits(wsi)
        var inflatedFrom = count
        var buffers = clws_extension_buffers()
        buffers.eb_in = lws_tokens(token: input.baseAddress, len: Int32(input.count))
        while true {
            let left = buffers.eb_in.len
            buffers.eb_out = lws_tokens()
            let result = call(LWS_EXT_CB_PAYLOAD_RX, &buffers, 0, wsi)
            guard result != clws_extension_not_mine else {
                return reserved == 0 ? .notCompressed : .violation(.reservedBits)
            }
            // RSV1 stands in the first frame of a message and nowhere else (section 6.1), RSV2 and RSV3 nowhere.
            let isRight = session.assembler.isInsideFrame || reserved == (isFirst ? 0x40 : 0)
            guard isRight || inflatedFrom < count else { return .violation(.reservedBits) }
            let hasMore = result == clws_extension_has_more
            // zlib reads nothing behind a block that says it is the last one (section 7.2.3.5), and lws cannot begin
            // anew. Nor is a message of no bytes one that could be inflated (section 7.2.3.6).
            let isStuck = hasMore && buffers.eb_in.len == left && buffers.eb_out.len == 0
            guard result > 0, !isStuck, !(isFirst && endsMessage && count == 0) else {
                return .violation(.undecodable)
            }
            session.deliver(
                MessageAssembler.Piece(
                    bytes: UnsafeRawBufferPointer(start: buffers.eb_out.token, count: Int(buffers.eb_out.len)),
                    kind: lws_frame_is_binary(wsi) != 0 ? .binary : .text,
                    remainingInFrame: lws_remaining_packet_payload(wsi),
                    endsMessage: result == clws_extension_final,
                    inflatedFrom: inflatedFrom),
                wsi)
            inflatedFrom = 0
            guard hasMore, !session.isDeaf else { return .done }
        }
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

    /// Sends a frame of what is compressed, of at most `limit` bytes. Returns its length, or `nil` where lws could not.
    func sendOutput(upTo limit: Int, _ wsi: OpaquePointer) -> Int? {
        let count = min(limit, output.count)
        guard count > 0 else { return 0 }
        let bytes = output.baseAddress
        output = UnsafeMutableBufferPointer(rebasing: output[count...])
        let opcode =
            if !isFirstFrameDue { LWS_WRITE_CONTINUATION } else if kind == .text { LWS_WRITE_TEXT } else {
                LWS_WRITE_BINARY
            }
        marksNextPacket = isFirstFrameDue
        isFirstFrameDue = false
        let flags = outputEndsMessage && output.isEmpty ? 0 : LWS_WRITE_NO_FIN.rawValue
        // What the operating system does not take lws copies, so the header of the next frame may be written over the
        // end of this one.
        let status = lws_write(wsi, bytes, count, lws_write_protocol(rawValue: opcode.rawValue | flags))
        return status < 0 ? nil : count
    }

    /// A packet is about to leave. RSV1 says that a message is compressed, in its first frame.
    func mark(_ packet: lws_tokens?) {
        guard marksNextPacket, let packet, packet.len > 0 else { return }
        marksNextPacket = false
        packet.token?.pointee |= 0x40
    }
}
