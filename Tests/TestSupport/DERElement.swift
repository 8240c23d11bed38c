// ASN.1's distinguished encoding, as far as tests take it apart.

import Foundation

/// One element: its tag and its content, for tags of one byte.
struct DERElement {
    var tag: UInt8
    var content: [UInt8]

    /// All elements of `bytes`, one after the other.
    static func sequence(_ bytes: [UInt8]) throws -> [DERElement] {
        var elements: [DERElement] = []
        var rest = bytes[...]
        while let tag = rest.popFirst() {
            guard let first = rest.popFirst() else { throw PeerError("DER: no length") }
            var length = Int(first)
            if first >= 0x80 {
                let count = Int(first & 0x7F)
                guard (1...4).contains(count), rest.count >= count else { throw PeerError("DER: wrong length") }
                length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(count)
            }
            guard rest.count >= length else { throw PeerError("DER: the content is cut off") }
            elements.append(DERElement(tag: tag, content: Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return elements
    }

    /// Tag, length and content.
    var bytes: [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }

    /// Hands the elements inside this one to `body`, and takes over what it made of them.
    mutating func edit(_ body: (inout [DERElement]) throws -> Void) throws {
        var elements = try Self.sequence(content)
        try body(&elements)
        content = elements.flatMap(\.bytes)
    }
}
