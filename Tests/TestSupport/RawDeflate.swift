// Messages compressed by hand, for scripted peers.

import CZlib

/// The raw deflate data of permessage-deflate (RFC 7692, section 7.2), by zlib and with nothing of lws.
package final class RawDeflate {
    private let deflater: UnsafeMutablePointer<z_stream>
    private let inflater: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: of both directions, 9 to 15.
    package init(windowBits: Int32 = 15, level: Int32 = 6) {
        deflater = .allocate(capacity: 1)
        deflater.initialize(to: z_stream())
        inflater = .allocate(capacity: 1)
        inflater.initialize(to: z_stream())
        precondition(cz_raw_deflate_init(deflater, level, windowBits) == Z_OK)
        precondition(cz_raw_inflate_init(inflater, windowBits) == Z_OK)
    }

    deinit {
        deflateEnd(deflater)
        inflateEnd(inflater)
        deflater.deinitialize(count: 1)
        deflater.deallocate()
        inflater.deinitialize(count: 1)
        inflater.deallocate()
    }

    /// The payload of a compressed message: a flushed stream without its last four bytes.
    package func compress(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return [0] }
        return Array(flush(bytes, Z_SYNC_FLUSH).dropLast(4))
    }

    /// A message whose last block says that it is the last (section 7.2.3.5).
    package func compressFinal(_ bytes: [UInt8]) -> [UInt8] {
        defer { deflateReset(deflater) }
        return flush(bytes, Z_FINISH) + [0]
    }

    /// Forgets what was compressed before: server_no_context_takeover.
    package func forgetSent() { deflateReset(deflater) }

    /// Forgets what was decompressed before: client_no_context_takeover.
    package func forgetReceived() { inflateReset(inflater) }

    /// What a message's payload, put together from its frames, decompresses to; `nil` where it does not.
    package func decompress(_ payload: [UInt8]) -> [UInt8]? {
        var input = payload + [0, 0, 0xff, 0xff]
        var result: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        return input.withUnsafeMutableBufferPointer { input in
            inflater.pointee.next_in = input.baseAddress
            inflater.pointee.avail_in = uInt(input.count)
            while true {
                let status = room.withUnsafeMutableBufferPointer { room in
                    inflater.pointee.next_out = room.baseAddress
                    inflater.pointee.avail_out = uInt(room.count)
                    return inflate(inflater, Z_SYNC_FLUSH)
                }
                guard status == Z_OK || status == Z_BUF_ERROR else { return nil }
                result += room.prefix(room.count - Int(inflater.pointee.avail_out))
                if inflater.pointee.avail_out > 0 { return inflater.pointee.avail_in == 0 ? result : nil }
            }
        }
    }

    private func flush(_ bytes: [UInt8], _ how: Int32) -> [UInt8] {
        var bytes = bytes
        var result: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        bytes.withUnsafeMutableBufferPointer { bytes in
            deflater.pointee.next_in = bytes.baseAddress
            deflater.pointee.avail_in = uInt(bytes.count)
            repeat {
                _ = room.withUnsafeMutableBufferPointer { room in
                    deflater.pointee.next_out = room.baseAddress
                    deflater.pointee.avail_out = uInt(room.count)
                    return deflate(deflater, how)
                }
                result += room.prefix(room.count - Int(deflater.pointee.avail_out))
            } while deflater.pointee.avail_out == 0
        }
        return result
    }
}
