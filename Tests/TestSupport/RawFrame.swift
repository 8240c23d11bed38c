// One WebSocket frame, byte for byte (RFC 6455, section 5.2).

/// A frame as a scripted peer reads it. The payload is unmasked; the header's bits are as they came.
package struct RawFrame: Sendable, Equatable {
    package var fin: Bool
    package var rsv: UInt8
    package var opcode: UInt8
    package var masked: Bool
    package var payload: [UInt8]

    package init(fin: Bool = true, rsv: UInt8 = 0, opcode: UInt8, masked: Bool = false, payload: [UInt8] = []) {
        self.fin = fin
        self.rsv = rsv
        self.opcode = opcode
        self.masked = masked
        self.payload = payload
    }

    package var text: String { String(decoding: payload, as: UTF8.self) }

    /// The status code of a close frame that has one.
    package var closeCode: Int? {
        guard opcode == 8, payload.count >= 2 else { return nil }
        return Int(payload[0]) << 8 | Int(payload[1])
    }

    /// The bytes of an unmasked frame, as a server sends it. Nothing is checked: scripts send wrong frames too.
    package var serverBytes: [UInt8] { head(announcing: payload.count) + payload }

    /// The bytes of a masked frame, as a client sends it; the key of zeros leaves the payload readable.
    /// - Parameter announced: the length to tell instead of the payload's own.
    package func clientBytes(key: [UInt8] = [0, 0, 0, 0], announcing announced: Int? = nil) -> [UInt8] {
        var bytes = head(announcing: announced ?? payload.count)
        bytes[1] |= 0x80
        var masked = payload
        if key != [0, 0, 0, 0] { Self.unmask(&masked, key) }
        return bytes + key + masked
    }

    private func head(announcing count: Int) -> [UInt8] {
        let first = (fin ? 0x80 : 0) | (rsv & 7) << 4 | opcode & 15
        return switch count {
        case ..<126: [first, UInt8(count)]
        case ..<65536: [first, 126] + bigEndian(UInt16(count))
        default: [first, 127] + bigEndian(UInt64(count))
        }
    }

    private func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    /// Reads one frame by asking `read` for that many bytes at a time.
    package init(reading read: (Int) throws -> [UInt8]) throws {
        let head = try read(2)
        var length = Int(head[1] & 0x7F)
        if length >= 126 {
            length = try read(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) }
        }
        let masked = head[1] & 0x80 != 0
        let mask = masked ? try read(4) : [0, 0, 0, 0]
        var payload = try read(length)
        if masked { Self.unmask(&payload, mask) }
        self.init(
            fin: head[0] & 0x80 != 0, rsv: head[0] >> 4 & 7, opcode: head[0] & 15, masked: masked, payload: payload)
    }

    /// Eight bytes at a time, for builds without optimisation.
    private static func unmask(_ payload: inout [UInt8], _ mask: [UInt8]) {
        let wide = (mask + mask).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        payload.withUnsafeMutableBytes { bytes in
            let words = bytes.count / 8 * 8
            for offset in stride(from: 0, to: words, by: 8) {
                let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                bytes.storeBytes(of: word ^ wide, toByteOffset: offset, as: UInt64.self)
            }
            for offset in words..<bytes.count { bytes[offset] ^= mask[offset % 4] }
        }
    }
}
