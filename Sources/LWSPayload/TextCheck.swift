// LWSPayload/: what payloads of messages are made of, for client and server alike.
//
// Holds: the check of text that comes in parts, and permessage-deflate: what is agreed to, and both directions by zlib.

/// Checks text that comes in parts, which may be cut anywhere, as it comes (RFC 6455, section 8.1).
package struct TextCheck: Sendable {
    /// The beginning of a character at the end of the part before.
    private var rest: [UInt8] = []

    package init() {}

    /// Whether the text is UTF-8 so far. After `isLast` another one begins.
    package mutating func accepts(_ part: some RandomAccessCollection<UInt8>, isLast: Bool) -> Bool {
        let cut = isLast ? 0 : Self.unfinished(part)
        let whole = part.dropLast(cut)
        let isFine: Bool
        if rest.isEmpty {
            isFine = String(validating: whole, as: UTF8.self) != nil
        } else if part.count < 4, !isLast {
            // Perhaps still the same character.
            let joined = rest + part
            rest = []
            return accepts(joined, isLast: false)
        } else {
            isFine = String(validating: rest + whole, as: UTF8.self) != nil
        }
        rest = isFine ? Array(part.suffix(cut)) : []
        return isFine && (rest.isEmpty || Self.isBeginning(rest))
    }

    /// Whether something can follow that makes a character of it: after F4 90, for instance, nothing can.
    private static func isBeginning(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, bytes.count > 1 else { return bytes.allSatisfy { (0xc2...0xf4).contains($0) } }
        // From the third byte on, 80 fits every character.
        let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        return String(validating: bytes + Array(repeating: 0x80, count: length - bytes.count), as: UTF8.self) != nil
    }

    /// How many bytes at the end begin a character without ending it: at most three.
    private static func unfinished(_ bytes: some RandomAccessCollection<UInt8>) -> Int {
        for (count, byte) in zip(1...3, bytes.reversed()) where byte & 0xc0 != 0x80 {
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > count ? count : 0
        }
        return 0
    }
}
