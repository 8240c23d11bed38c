// The order in which lws shows an extension the frames of a connection.

import CLibWebSockets
import LWSServiceLoop

/// What lws calls our permessage-deflate for.
func deflateCallback(
    _ host: EchoHost, _ connection: EchoConnection, _ reason: lws_extension_callback_reasons,
    _ user: UnsafeMutableRawPointer?, _ argument: UnsafeMutableRawPointer?, _ count: Int,
    _ held: borrowing HeldLoop
) -> Int32 {
    switch reason {
    case LWS_EXT_CB_CONSTRUCT:
        guard let argument else { return -1 }
        connection.deflate = DeflateExtension()
        argument.assumingMemoryBound(to: UnsafePointer<lws_ext_options>?.self).pointee = host.deflateOptions
    case LWS_EXT_CB_OPTION_SET:
        guard let option = argument?.assumingMemoryBound(to: lws_ext_option_arg.self).pointee else { return -1 }
        connection.deflate?.zlib.agree(toParameter: Int(option.option_index))
    case LWS_EXT_CB_PAYLOAD_RX:
        guard let buffers = argument?.assumingMemoryBound(to: clws_extension_buffers.self) else { return -1 }
        return connection.deflate?.received(buffers, connection, host.deflateBuffers, held)
            ?? clws_extension_not_mine
    case LWS_EXT_CB_PAYLOAD_TX:
        guard let buffers = argument?.assumingMemoryBound(to: clws_extension_buffers.self) else { return -1 }
        return connection.deflate?.sending(buffers, type: UInt32(truncatingIfNeeded: count), host.deflateBuffers)
            ?? clws_extension_not_mine
    case LWS_EXT_CB_PACKET_TX_PRESEND:
        guard let packet = argument?.assumingMemoryBound(to: lws_tokens.self) else { return -1 }
        connection.deflate?.mark(packet)
    case LWS_EXT_CB_DESTROY: connection.deflate = nil
    default: break
    }
    return 0
}

/// permessage-deflate between lws's calls.
final class DeflateExtension {
    let zlib = MessageDeflate()
    private var isInsideMessage = false
    private var isCompressed = false
    /// The end of a frame has been seen, and lws asks once more about it.
    private var isFrameRepeated = false
    /// Where lws collects control frames.
    private var controlBuffer: UnsafeMutablePointer<UInt8>?
    private var marksNextPacket = false

    /// Data come in place, in as many parts as lws read them (roles/ws/server-ws.c: lws_ws_frame_rest_is_payload).
    /// Behind the last part of a frame lws asks once more, with no bytes (roles/ws/ops-ws.c: lws_ws_rx_sm), which is
    /// also how empty frames come. Pongs come by that second way with their bytes, which lie where the empty ones
    /// did.
    func received(
        _ buffers: UnsafeMutablePointer<clws_extension_buffers>, _ connection: EchoConnection,
        _ scratch: DeflateBuffers, _ held: borrowing HeldLoop
    ) -> Int32 {
        let wsi = connection.wsi
        let input = buffers.pointee.eb_in
        if input.len == 0 {
            controlBuffer = input.token
            if isFrameRepeated {
                isFrameRepeated = false
                return clws_extension_did_nothing
            }
        } else if input.token == controlBuffer {
            return clws_extension_not_mine
        }
        if !isInsideMessage { isCompressed = lws_get_reserved_bits(wsi) & 0x40 != 0 }
        let endsFrame = lws_remaining_packet_payload(wsi) == 0
        let endsMessage = lws_is_final_fragment(wsi) != 0
        isInsideMessage = !endsMessage
        isFrameRepeated = endsFrame && input.len > 0
        guard isCompressed else { return clws_extension_not_mine }
        let bytes = UnsafeMutableBufferPointer(start: input.token, count: Int(input.len))
        guard let count = zlib.inflateNext(bytes, endsMessage: endsMessage, into: scratch.received) else {
            return clws_extension_failed
        }
        buffers.pointee.eb_in.len = 0
        buffers.pointee.eb_out.token = scratch.received.bytes
        buffers.pointee.eb_out.len = Int32(truncatingIfNeeded: count)
        // lws has no callback for the end of a frame that has inflated to nothing, apart from a message's last.
        if count == 0, input.len > 0, endsFrame, !endsMessage {
            guard connection.received(UnsafeRawBufferPointer(start: nil, count: 0), held) else {
                return clws_extension_failed
            }
        }
        return endsMessage ? clws_extension_final : clws_extension_not_final
    }

    /// lws wants to send a frame of data.
    func sending(
        _ buffers: UnsafeMutablePointer<clws_extension_buffers>, type: UInt32, _ scratch: DeflateBuffers
    ) -> Int32 {
        let input = buffers.pointee.eb_in
        let isFinal = type & LWS_WRITE_NO_FIN.rawValue == 0
        let bytes = UnsafeMutableBufferPointer(start: input.token, count: Int(input.len))
        guard let count = zlib.deflateFrame(bytes, isFinal: isFinal, into: scratch.sent) else {
            return clws_extension_failed
        }
        buffers.pointee.eb_in.len = 0
        buffers.pointee.eb_out.token = scratch.sent.bytes
        buffers.pointee.eb_out.len = Int32(truncatingIfNeeded: count)
        marksNextPacket = type & 0xf != LWS_WRITE_CONTINUATION.rawValue
        return isFinal ? clws_extension_final : clws_extension_not_final
    }

    /// RSV1 says that a message is compressed, and stands in its first frame (RFC 7692, section 6).
    func mark(_ packet: UnsafeMutablePointer<lws_tokens>) {
        guard marksNextPacket, packet.pointee.len > 0, let first = packet.pointee.token else { return }
        marksNextPacket = false
        first.pointee |= 0x40
    }
}
