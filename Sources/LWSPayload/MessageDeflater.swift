// Compression of messages.

internal import CZlib

/// The sending half of permessage-deflate on one connection (RFC 7692, section 7.2.1), by zlib.
///
/// lws's own (roles/ws/ext/extension-permessage-deflate.c, in this the same from 4.1.6 to 4.5.8) fails assertions, which are
/// active in Debian's build, where the peer wants it: output whose last four bytes straddle two buffers ("want to trim out
/// length"), and so does an empty message after another one. It cuts messages into frames of its own making, too.
package final class MessageDeflater {
    private let zlib = ZlibStream()
    private var stream: UnsafeMutablePointer<z_stream> { zlib.pointer }
    private let forgets: Bool

    /// Octets that a flush ends with, and that are left out at the end of a message (section 7.2.1).
    private static let tail = 4

    /// - Parameter forgets: each message stands for itself (no context takeover).
    package init?(windowBits: Int, level: Int, forgets: Bool) {
        self.forgets = forgets
        guard cz_raw_deflate_init(stream, Int32(level), Int32(windowBits)) == Z_OK else {
            // `deinit` runs for this object too; zlib takes a stream that was not set up.
            return nil
        }
    }

    deinit { deflateEnd(stream) }

    /// Compresses a part of a message. Returns what comes of it, in `room` until that is used again; `nil` where zlib has no
    /// memory.
    /// - Parameters:
    ///   - part: not empty, unless what came before was flushed, or nothing did.
    ///   - flushes: nothing of the part is held back. So it is at the end of the message in any case.
    package func deflate(
        _ part: UnsafeRawBufferPointer, flushes: Bool = false, endsMessage: Bool, into room: DeflaterRoom
    ) -> UnsafeMutableRawBufferPointer? {
        defer { if endsMessage, forgets { deflateReset(stream) } }
        guard !part.isEmpty else {
            // zlib flushes nothing twice. The end of an empty message is one octet, the head of an empty block whose rest is
            // what is left out (section 7.2.3.6).
            room.bytes[0] = 0
            return UnsafeMutableRawBufferPointer(start: room.bytes, count: endsMessage ? 1 : 0)
        }
        let mode = flushes || endsMessage ? Z_SYNC_FLUSH : Z_NO_FLUSH
        room.reserve(Int(deflateBound(stream, uLong(part.count))) + 64, keeping: 0)
        zlib.give(part)
        var count = 0
        repeat {
            if count > 0 { room.reserve(count + 1024, keeping: count) }
            let space = room.capacity - count
            stream.pointee.next_out = room.bytes + count
            stream.pointee.avail_out = uInt(space)
            let status = CZlib.deflate(stream, mode)
            // Of what is held back there is nothing more to come.
            guard status == Z_OK || status == Z_BUF_ERROR else { return nil }
            count += space - Int(stream.pointee.avail_out)
        } while stream.pointee.avail_out == 0
        return UnsafeMutableRawBufferPointer(start: room.bytes, count: endsMessage ? count - Self.tail : count)
    }
}

/// Where the deflaters of a loop put what they make, one at a time: bytes at one place that grow as needed, after room for what
/// goes in front of them.
package final class DeflaterRoom {
    private let headroom: Int
    private var memory: UnsafeMutablePointer<UInt8>
    fileprivate private(set) var capacity = initialCapacity

    /// For a part of 64 KiB that does not compress.
    private static let initialCapacity = 65536 + 1024
    /// More than this is given back when it is not needed.
    private static let keptCapacity = 1 << 20

    package init(headroom: Int) {
        self.headroom = headroom
        memory = .allocate(capacity: headroom + Self.initialCapacity)
    }

    deinit { memory.deallocate() }

    fileprivate var bytes: UnsafeMutablePointer<UInt8> { memory + headroom }

    /// Makes room for `count` bytes, keeping the first `used`.
    fileprivate func reserve(_ count: Int, keeping used: Int) {
        guard count > capacity || (used == 0 && capacity > Self.keptCapacity && count <= Self.keptCapacity) else {
            return
        }
        // Doubled where bytes have to be copied, so that growing in small steps costs no more than the bytes do.
        let size = max(count, used == 0 ? Self.initialCapacity : capacity * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: headroom + size)
        (larger + headroom).update(from: bytes, count: min(used, size))
        memory.deallocate()
        memory = larger
        capacity = size
    }
}
