// Keeps JSON from the decoder that could end the process.

/// What is checked before Foundation sees a payload.
///
/// Foundation's decoder is recursive. It stops at 512 levels, but a type that contains itself (``JSONValue``) needs
/// more than a megabyte of stack for these, and threads may have half of that. In the Foundation of Swift 6.3 the
/// bracket that is one too many even traps where it is the last byte. So nesting is counted here, without recursion.
enum JSONGuard {
    /// A `JSONValue` of this depth decodes on a stack of 512 KiB, even without optimisation.
    static let maxDepth = 64

    enum Breach: Error, CustomStringConvertible {
        case notUTF8
        case tooDeep

        var description: String {
            switch self {
            case .notUTF8: "it is not JSON in UTF-8"
            case .tooDeep: "its arrays and objects are nested more than \(maxDepth) deep"
            }
        }
    }

    static func check(_ message: WebSocketMessage, allowsJSON5: Bool) throws(Breach) {
        switch message {
        case .text(var text):
            try check(depthOf: text.withUTF8 { depth($0, allowsJSON5: allowsJSON5) })
        case .binary(let bytes):
            // Foundation would also take UTF-16 and UTF-32, and looks into a string only when it is asked for.
            guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
            try check(depthOf: bytes.withUnsafeBufferPointer { depth($0, allowsJSON5: allowsJSON5) })
        }
    }

    private static func check(depthOf depth: Int?) throws(Breach) {
        guard let depth else { throw .notUTF8 }
        guard depth <= maxDepth else { throw .tooDeep }
    }

    /// The deepest nesting, or just more than is allowed; `nil` where there is a NUL, which no JSON has and which
    /// makes Foundation take the bytes for UTF-16 or UTF-32.
    private static func depth(_ bytes: UnsafeBufferPointer<UInt8>, allowsJSON5: Bool) -> Int? {
        var depth = 0
        var deepest = 0
        var skipping = Skipping.nothing
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            let next = index + 1 < bytes.endIndex ? bytes[index + 1] : 0
            guard byte != 0 else { return nil }
            index += 1
            switch (skipping, byte) {
            case (.string, UInt8(ascii: "\\")) where next != 0:
                index += 1
            case (.string(let quote), _) where quote == byte:
                skipping = .nothing
            case (.line, UInt8(ascii: "\n")), (.line, UInt8(ascii: "\r")):
                skipping = .nothing
            case (.comment, UInt8(ascii: "*")) where next == UInt8(ascii: "/"):
                skipping = .nothing
                index += 1
            case (.nothing, UInt8(ascii: "[")), (.nothing, UInt8(ascii: "{")):
                depth += 1
                deepest = max(deepest, depth)
                if deepest > maxDepth { return deepest }
            case (.nothing, UInt8(ascii: "]")), (.nothing, UInt8(ascii: "}")):
                depth -= 1
            case (.nothing, UInt8(ascii: "\"")):
                skipping = .string(quote: byte)
            case (.nothing, UInt8(ascii: "'")) where allowsJSON5:
                skipping = .string(quote: byte)
            case (.nothing, UInt8(ascii: "/")) where allowsJSON5 && next == UInt8(ascii: "/"):
                skipping = .line
            case (.nothing, UInt8(ascii: "/")) where allowsJSON5 && next == UInt8(ascii: "*"):
                skipping = .comment
                index += 1
            default:
                break
            }
        }
        return deepest
    }

    /// Inside of what brackets do not count. JSON5 has comments and a second kind of quotes.
    private enum Skipping {
        case nothing, string(quote: UInt8), line, comment
    }
}
