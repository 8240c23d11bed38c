// Decompression of messages.

internal import CZlib

/// The receiving half of permessage-deflate on one connection (RFC 7692, section 7.2.2), by zlib.
///
/// lws's own ends the process where a peer wants it: a message that inflates to more than the room left when its last
/// byte is read fails `assert(priv->rx.avail_out)` (roles/ws/ext/extension-permessage-deflate.c, 4.1.6 and 4.5.8), or
/// loses its end where assertions are off. Nor does it end a block that says it is the last.
package final class MessageInflater {
    private let zlib = ZlibStream()
    private var stream: UnsafeMutablePointer<z_stream> { zlib.pointer }
    private let forgets: Bool
    private let room: InflaterRoom
    /// What zlib has failed for, in place of wrong data: it takes memory for its window with the first data.
    package private(set) var lacksMemory = false
    /// Nothing has come of the message under way.
    private var isAtStart = true

    /// - Parameter forgets: each message stands for itself (no context takeover).
    package init?(windowBits: Int, forgets: Bool, in room: InflaterRoom) {
        self.forgets = forgets
        self.room = room
        // zlib inflates a window of 8 bits as one of 9.
        guard cz_raw_inflate_init(stream, Int32(max(9, windowBits))) == Z_OK else {
            // `deinit` runs for this object too; zlib takes a stream that was not set up.
            return nil
        }
    }

    deinit { inflateEnd(stream) }

    /// Inflates a part of a message. Hands on what comes of it, at least once, until `deliver` has no use for more.
    /// Returns false where the data are wrong, or memory is missing.
    package func inflate(
        _ part: UnsafeRawBufferPointer, endsMessage: Bool,
        _ deliver: (_ bytes: UnsafeRawBufferPointer, _ endsMessage: Bool) -> Bool
    ) -> Bool {
        isAtStart = isAtStart && part.isEmpty
        // A message of no bytes at all is none: an empty one has a byte (section 7.2.3.6).
        guard !(isAtStart && endsMessage) else { return false }
        let isFine = inflate(part, isLast: endsMessage, deliver)
        if endsMessage {
            isAtStart = true
            if forgets { inflateReset(stream) }
        }
        return isFine
    }

    private func inflate(
        _ part: UnsafeRawBufferPointer, isLast: Bool,
        _ deliver: (_ bytes: UnsafeRawBufferPointer, _ endsMessage: Bool) -> Bool
    ) -> Bool {
        zlib.give(part)
        var isTailDue = isLast
        while true {
            stream.pointee.next_out = room.output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = uInt(room.output.count)
            var status = Z_OK
            repeat {
                if isTailDue, stream.pointee.avail_in == 0 {
                    zlib.give(UnsafeRawBufferPointer(room.tail))
                    isTailDue = false
                }
                status = CZlib.inflate(stream, Z_SYNC_FLUSH)
                switch status {
                // What follows a block that says it is the last begins anew (section 7.2.3.5).
                case Z_STREAM_END: inflateReset(stream)
                case Z_OK, Z_BUF_ERROR: break
                default:
                    lacksMemory = status == Z_MEM_ERROR
                    return false
                }
            } while status != Z_BUF_ERROR && stream.pointee.avail_out > 0
                && (isTailDue || stream.pointee.avail_in > 0)
            let isDone = !isTailDue && stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
            // zlib can neither read nor write.
            guard isDone || status != Z_BUF_ERROR else { return false }
            let count = room.output.count - Int(stream.pointee.avail_out)
            let bytes = UnsafeRawBufferPointer(rebasing: room.output[..<count])
            guard deliver(bytes, isDone && isLast), !isDone else { return true }
        }
    }
}

/// Where the inflaters of a loop put what they hand on, one at a time.
package final class InflaterRoom {
    /// Some more than a message of 64 KiB, so that zlib can tell that it has come to the end.
    fileprivate let output = UnsafeMutableRawBufferPointer.allocate(byteCount: (1 << 16) + 512, alignment: 1)
    /// What a sender leaves out at the end of a message: the rest of an empty block.
    fileprivate let tail = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)

    package init() { tail.copyBytes(from: [0, 0, 0xff, 0xff]) }

    deinit {
        output.deallocate()
        tail.deallocate()
    }
}
