// Decompression of incoming messages.

internal import CZlib

/// The receiving half of permessage-deflate on one connection (RFC 7692, section 7.2.2), by zlib.
///
/// lws's own ends the process where a peer wants it: a message that inflates to more than the room left when its last
/// byte is read fails `assert(priv->rx.avail_out)` (roles/ws/ext/extension-permessage-deflate.c, 4.1.6 and 4.5.8), or
/// loses its end where assertions are off. Nor does it end a block that says it is the last.
final class MessageInflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let forgets: Bool
    private var input: [UInt8] = []
    /// Nothing has come of the message under way.
    private var isAtStart = true

    /// What a sender leaves out at the end of a message: the rest of an empty block.
    private static let tail: [UInt8] = [0, 0, 0xff, 0xff]
    /// Bytes that are handed on at once.
    private static let room = 1 << 14

    /// - Parameter forgets: each message stands for itself (server_no_context_takeover).
    init?(windowBits: Int, forgets: Bool) {
        // The stream points to itself, so it stays where it is.
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.forgets = forgets
        // zlib inflates a window of 8 bits as one of 9.
        guard cz_raw_inflate_init(stream, Int32(max(9, windowBits))) == Z_OK else {
            // `deinit` runs for this object too; zlib takes a stream that was not set up.
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Inflates a part of a message. Hands on what comes of it, at least once, until `deliver` has no use for more.
    /// Returns false where the data are wrong.
    func inflate(
        _ part: UnsafeRawBufferPointer, endsMessage: Bool,
        _ deliver: (_ bytes: UnsafeRawBufferPointer, _ endsMessage: Bool) -> Bool
    ) -> Bool {
        isAtStart = isAtStart && part.isEmpty
        // A message of no bytes at all is none: an empty one has a byte (section 7.2.3.6).
        guard !(isAtStart && endsMessage) else { return false }
        input.removeAll(keepingCapacity: true)
        input.append(contentsOf: part)
        if endsMessage { input.append(contentsOf: Self.tail) }
        let isFine = input.withUnsafeMutableBufferPointer { input in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.room) { room in
                inflate(input, room, endsMessage: endsMessage, deliver)
            }
        }
        if endsMessage {
            isAtStart = true
            if forgets { inflateReset(stream) }
        }
        return isFine
    }

    private func inflate(
        _ input: UnsafeMutableBufferPointer<UInt8>, _ room: UnsafeMutableBufferPointer<UInt8>, endsMessage: Bool,
        _ deliver: (_ bytes: UnsafeRawBufferPointer, _ endsMessage: Bool) -> Bool
    ) -> Bool {
        stream.pointee.next_in = input.baseAddress
        stream.pointee.avail_in = uInt(input.count)
        while true {
            stream.pointee.next_out = room.baseAddress
            stream.pointee.avail_out = uInt(room.count)
            let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
            switch status {
            // What follows a block that says it is the last begins anew (section 7.2.3.5).
            case Z_STREAM_END: inflateReset(stream)
            case Z_OK, Z_BUF_ERROR: break
            default: return false
            }
            let (isFull, isRead) = (stream.pointee.avail_out == 0, stream.pointee.avail_in == 0)
            let isDone = isRead && !isFull
            // zlib can neither read nor write.
            guard isDone || status != Z_BUF_ERROR else { return false }
            let count = room.count - Int(stream.pointee.avail_out)
            let bytes = UnsafeRawBufferPointer(start: room.baseAddress, count: count)
            guard deliver(bytes, isDone && endsMessage), !isDone else { return true }
        }
    }
}
