// Compression/: permessage-deflate (RFC 7692) on the server's side.
//
// Holds: the choice among a client's offers, what a connection keeps of compression, and the extension by which libwebsockets
// has frames compressed that it is to send.

import CLibWebSockets
import LWSPayload
import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

func deflateCallback(
    _ host: EchoHost, _ connection: EchoConnection, _ reason: lws_extension_callback_reasons,
    _ argument: UnsafeMutableRawPointer?, _ count: Int, _ held: borrowing HeldLoop
) -> Int32 {
    switch reason {
    case LWS_EXT_CB_CONSTRUCT:
        guard let argument, let offer = connection.offer else { return -1 }
        connection.compression = FrameCompression(offer.agreement, host.rooms)
        argument.assumingMemoryBound(to: UnsafePointer<lws_ext_options>?.self).pointee = host.deflateOptions
    // The connection inflates what it is delivered.
    case LWS_EXT_CB_PAYLOAD_RX: return clws_extension_leave_it
    case LWS_EXT_CB_PAYLOAD_TX:
        guard let buffers = argument?.assumingMemoryBound(to: clws_extension_buffers.self) else { return -1 }
        return connection.compression?.sending(buffers, type: UInt32(truncatingIfNeeded: count))
            ?? clws_extension_leave_it
    case LWS_EXT_CB_PACKET_TX_PRESEND:
        guard let packet = argument?.assumingMemoryBound(to: lws_tokens.self) else { return -1 }
        connection.compression?.mark(packet)
    case LWS_EXT_CB_DESTROY: connection.compression = nil
    default: break
    }
    return 0
}

extension DeflateOffer {
    /// Adds to the answer to the upgrade, behind whose last line lws is, what is agreed to. By itself lws has 63 bytes for the
    /// whole field from 4.4 on (roles/ws/server-ws.c: lws_extension_server_handshake), which two parameters exceed. Returns false
    /// where that line is not the one that is to be completed.
    func completeAnswer(_ arguments: UnsafeMutablePointer<lws_process_html_args>) -> Bool {
        guard !answer.isEmpty else { return true }
        let lineEnd = "\r\n"
        let written = Array((CompressionAgreement.extensionName + lineEnd).utf8)
        let added = Array((answer + lineEnd).utf8)
        guard let end = arguments.pointee.p, arguments.pointee.max_len > added.count,
            memcmp(end - written.count, written, written.count) == 0
        else { return false }
        let start = end - lineEnd.utf8.count
        memcpy(start, added, added.count)
        arguments.pointee.p = start + added.count
        return true
    }
}

/// Where the connections of a host have their bytes from. lws takes what stands there before its next call: to the socket, or
/// into a copy.
final class CompressionRooms {
    let inflating = InflaterRoom()
    let deflating = DeflaterRoom(headroom: clws_pre)
}

/// Compresses each frame by itself, so that the boundaries of frames stay: lws's own extension makes frames of its own.
final class FrameCompression {
    private let agreement: CompressionAgreement
    private let rooms: CompressionRooms
    private var inflater: MessageInflater?
    private var deflater: MessageDeflater?
    /// The message that is being received is compressed.
    private var isInflating = false
    private var isInsideMessage = false
    /// Something has come of it.
    private var hasBegun = false
    private var marksNextPacket = false

    init(_ agreement: CompressionAgreement, _ rooms: CompressionRooms) {
        self.agreement = agreement
        self.rooms = rooms
    }

    // MARK: - Receiving

    /// Inflates a part of a frame, and hands on what comes of it, until `deliver` has no use for more; one that is not compressed
    /// as it is. Returns false where the data are wrong.
    /// - Parameter reserved: the frame's reserved bits.
    func received(
        _ part: UnsafeRawBufferPointer, reserved: UInt8, endsMessage: Bool,
        _ deliver: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        if !isInsideMessage { (isInflating, hasBegun) = (reserved & 0x40 != 0, false) }
        isInsideMessage = !endsMessage
        hasBegun = hasBegun || !part.isEmpty
        // A compressed message has an octet at least (section 7.2.3.6), but one that has none can only be an empty one.
        guard isInflating, hasBegun || !endsMessage else {
            _ = deliver(part)
            return true
        }
        if inflater == nil {
            // Whatever window the client uses.
            inflater = MessageInflater(
                windowBits: 15, forgets: agreement.clientNoContextTakeover, in: rooms.inflating)
        }
        return inflater?.inflate(part, endsMessage: endsMessage) { bytes, _ in deliver(bytes) } ?? false
    }

    // MARK: - Sending

    /// lws wants to send a frame of data.
    func sending(_ buffers: UnsafeMutablePointer<clws_extension_buffers>, type: UInt32) -> Int32 {
        if deflater == nil {
            deflater = MessageDeflater(
                windowBits: agreement.serverWindowBits, level: agreement.level,
                forgets: agreement.serverNoContextTakeover)
        }
        let input = buffers.pointee.eb_in
        let isFinal = type & LWS_WRITE_NO_FIN.rawValue == 0
        let frame = UnsafeRawBufferPointer(start: input.token, count: Int(input.len))
        let made = deflater?.deflate(frame, flushes: true, endsMessage: isFinal, into: rooms.deflating)
        guard let made else { return clws_extension_failed }
        buffers.pointee.eb_in.len = 0
        buffers.pointee.eb_out.token = made.baseAddress?.assumingMemoryBound(to: UInt8.self)
        buffers.pointee.eb_out.len = Int32(truncatingIfNeeded: made.count)
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
