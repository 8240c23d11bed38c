// Compression/: permessage-deflate (RFC 7692) on the server's side.
//
// Holds: the choice among a client's offers, both zlib streams, and the extension by which libwebsockets shows its
// frames.

// The two zlib streams of permessage-deflate (RFC 7692).

import CZlib

/// permessage-deflate on one connection.
///
/// The extension that lws brings is not used (roles/ws/ext/extension-permessage-deflate.c, the same in 4.1.6 and
/// 4.5.8). It compresses a message into frames of its own making, so that the boundaries of the frames are lost; while
/// it inflates in steps it keeps a pointer into the buffer that all connections are read through; and two of its
/// assertions, which are active in Debian's build, end the process when a client wants it: echoing an empty message
/// after another one fails "want to trim out length", and a message whose last byte inflates to more than the room left
/// in its buffer of 1,024 bytes (zeros of the right count) fails `priv->rx.avail_out`. This one turns one frame into one
/// frame, each flushed, and inflates what it is given at once.
final class MessageDeflate {
    private let deflater: UnsafeMutablePointer<z_stream>
    private let inflater: UnsafeMutablePointer<z_stream>
    private var isDeflaterReady = false
    private var isInflaterReady = false
    private var windowBits: Int32 = 15
    private var forgetsSent = false
    private var forgetsReceived = false

    init() {
        // zlib's streams point to themselves, so they stay where they are.
        deflater = .allocate(capacity: 1)
        deflater.initialize(to: z_stream())
        inflater = .allocate(capacity: 1)
        inflater.initialize(to: z_stream())
    }

    deinit {
        if isDeflaterReady { deflateEnd(deflater) }
        if isInflaterReady { inflateEnd(inflater) }
        deflater.deinitialize(count: 1)
        deflater.deallocate()
        inflater.deinitialize(count: 1)
        inflater.deallocate()
    }

    /// Agrees to a parameter of ``DeflateOffer/parameters``.
    func agree(toParameter index: Int) {
        switch index {
        case 0: forgetsSent = true
        case 1: forgetsReceived = true
        default: windowBits = DeflateOffer.windowBits(ofParameter: index) ?? windowBits
        }
    }

    // MARK: - Receiving

    /// More than any part of a frame that lws hands over can inflate to: 65,536 bytes, 1,032 from each.
    private static let inflatedLimit = 80 << 20
    private static let tail: [UInt8] = [0, 0, 0xff, 0xff]

    /// Inflates a part of a message. Returns how many bytes stand in `buffer`, or `nil` where the data are wrong.
    func inflateNext(_ bytes: UnsafeMutableBufferPointer<UInt8>, endsMessage: Bool, into buffer: GrowingBuffer)
        -> Int?
    {
        if !isInflaterReady {
            guard cz_raw_inflate_init(inflater, 15) == Z_OK else { return nil }
            isInflaterReady = true
        }
        guard var count = inflate(bytes, at: 0, into: buffer) else { return nil }
        if endsMessage {
            var tail = Self.tail
            guard let all = tail.withUnsafeMutableBufferPointer({ inflate($0, at: count, into: buffer) }) else {
                return nil
            }
            count = all
            if forgetsReceived { inflateReset(inflater) }
        }
        return count
    }

    private func inflate(_ input: UnsafeMutableBufferPointer<UInt8>, at start: Int, into buffer: GrowingBuffer)
        -> Int?
    {
        var count = start
        buffer.reserve(count + 1024, keeping: count)
        inflater.pointee.next_in = input.baseAddress
        inflater.pointee.avail_in = uInt(input.count)
        while true {
            let room = buffer.capacity - count
            inflater.pointee.next_out = buffer.bytes + count
            inflater.pointee.avail_out = uInt(room)
            let status = CZlib.inflate(inflater, Z_SYNC_FLUSH)
            count += room - Int(inflater.pointee.avail_out)
            switch status {
            // A block marked as the last one; what follows begins anew (RFC 7692, section 7.2.3.5).
            case Z_STREAM_END: inflateReset(inflater)
            case Z_OK, Z_BUF_ERROR: break
            default: return nil
            }
            if inflater.pointee.avail_out > 0 {
                if inflater.pointee.avail_in == 0 { return count }
                if status == Z_BUF_ERROR { return nil }
            } else {
                guard count < Self.inflatedLimit else { return nil }
                buffer.reserve(buffer.capacity * 2, keeping: count)
            }
        }
    }

    // MARK: - Sending

    /// Compresses a frame. Returns how many bytes stand in `buffer`, or `nil` where zlib has no memory.
    func deflateFrame(_ bytes: UnsafeMutableBufferPointer<UInt8>, isFinal: Bool, into buffer: GrowingBuffer) -> Int? {
        if !isDeflaterReady {
            guard cz_raw_deflate_init(deflater, 1, windowBits) == Z_OK else { return nil }
            isDeflaterReady = true
        }
        defer { if isFinal && forgetsSent { deflateReset(deflater) } }
        guard !bytes.isEmpty else {
            // zlib flushes nothing twice. An empty frame stays empty, and the end of an empty message is one
            // octet, the head of an empty block whose rest is what RFC 7692 takes off (section 7.2.3.6).
            buffer.bytes[0] = 0
            return isFinal ? 1 : 0
        }
        let bound = Int(deflateBound(deflater, uLong(bytes.count))) + 64
        buffer.reserve(bound, keeping: 0)
        deflater.pointee.next_in = bytes.baseAddress
        deflater.pointee.avail_in = uInt(bytes.count)
        var count = 0
        repeat {
            buffer.reserve(count + 1024, keeping: count)
            let room = buffer.capacity - count
            deflater.pointee.next_out = buffer.bytes + count
            deflater.pointee.avail_out = uInt(room)
            guard deflate(deflater, Z_SYNC_FLUSH) == Z_OK else { return nil }
            count += room - Int(deflater.pointee.avail_out)
        } while deflater.pointee.avail_out == 0
        // Section 7.2.1: the four octets that every flush ends with are left out at the end of a message.
        return isFinal ? count - Self.tail.count : count
    }
}
