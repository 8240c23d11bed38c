// Headers and masks of outgoing data frames (RFC 6455, section 5.2).

/// Data frames that this library completes itself and sends as they are to leave, or hands to lws so (LWS_WRITE_RAW): whole
/// frames only. lws would read four random bytes from the kernel for each, mask byte by byte, and read nothing more of a
/// connection where it could not write. Control frames, and all that comes in, are lws's.
enum FrameHeader {
    /// Its length, mask included.
    static func length(of payload: Int) -> Int { payload < 126 ? 6 : payload < 65536 ? 8 : 14 }

    /// Completes a frame whose payload is in place, behind the room for its header, and masks that.
    static func write(_ span: OutgoingMessage.Span, _ mask: UInt32, to frame: UnsafeMutableRawBufferPointer) {
        frame[0] = (span.isFinal ? 0x80 : 0) | span.opcode
        let maskStart: Int
        switch span.count {
        case ..<126:
            frame[1] = 0x80 | UInt8(span.count)
            maskStart = 2
        case ..<65536:
            frame[1] = 0x80 | 126
            frame.storeBytes(of: UInt16(span.count).bigEndian, toByteOffset: 2, as: UInt16.self)
            maskStart = 4
        default:
            frame[1] = 0x80 | 127
            frame.storeBytes(of: UInt64(span.count).bigEndian, toByteOffset: 2, as: UInt64.self)
            maskStart = 10
        }
        frame.storeBytes(of: mask, toByteOffset: maskStart, as: UInt32.self)
        apply(mask, to: UnsafeMutableRawBufferPointer(rebasing: frame[(maskStart + 4)...]))
    }

    /// Section 5.3. The bytes of `mask` in memory are the masking key.
    static func apply(_ mask: UInt32, to payload: UnsafeMutableRawBufferPointer) {
        guard let start = payload.baseAddress else { return }
        let wide = SIMD4<UInt64>(repeating: UInt64(mask) << 32 | UInt64(mask))
        let size = MemoryLayout<SIMD4<UInt64>>.size
        var offset = 0
        while offset + size <= payload.count {
            let place = start + offset
            place.storeBytes(of: place.loadUnaligned(as: SIMD4<UInt64>.self) ^ wide, as: SIMD4<UInt64>.self)
            offset += size
        }
        while offset + 4 <= payload.count {
            let place = start + offset
            place.storeBytes(of: place.loadUnaligned(as: UInt32.self) ^ mask, as: UInt32.self)
            offset += 4
        }
        withUnsafeBytes(of: mask) { key in
            while offset < payload.count {
                payload[offset] ^= key[offset & 3]
                offset += 1
            }
        }
    }
}
