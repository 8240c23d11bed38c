// JSON laid out for reading, otherwise left as it came.

/// Puts each member and element on a line of its own. Numbers, strings and the order of members stay as they are, which
/// decoding and encoding would not leave them. Nothing recurses: a message may be nested as deep as it likes.
struct JSONLayout {
    enum Part: Sendable {
        case key, string, number, literal, punctuation
    }

    /// The text in lines, each part passed through `paint`; `nil` where it is not JSON (RFC 8259).
    static func format(_ text: String, paint: (String, Part) -> String = { text, _ in text }) -> String? {
        var layout = JSONLayout(Array(text.utf8))
        return layout.run(paint)
    }

    private let bytes: [UInt8]
    private var place = 0
    private var output = ""
    /// The brackets that are open: true for an object.
    private var open: [Bool] = []

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Indentation stops at this depth, for the spaces of a deep nesting would be more than the message.
    private static let deepest = 64

    private mutating func run(_ paint: (String, Part) -> String) -> String? {
        guard value(paint) else { return nil }
        while let inObject = open.last {
            skipSpace()
            guard let byte = next() else { return nil }
            switch byte {
            case UInt8(ascii: ","):
                output += paint(",", .punctuation)
                newLine()
                guard inObject ? member(paint) : value(paint) else { return nil }
            case UInt8(ascii: inObject ? "}" : "]"):
                open.removeLast()
                newLine()
                output += paint(inObject ? "}" : "]", .punctuation)
            default: return nil
            }
        }
        skipSpace()
        return place == bytes.count ? output : nil
    }

    /// Reads a value up to its end; of an array or object, up to its first element's end or the opening of the next one.
    private mutating func value(_ paint: (String, Part) -> String) -> Bool {
        while true {
            skipSpace()
            guard let byte = peek() else { return false }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = byte == UInt8(ascii: "{")
                place += 1
                skipSpace()
                if peek() == UInt8(ascii: isObject ? "}" : "]") {
                    place += 1
                    output += paint(isObject ? "{}" : "[]", .punctuation)
                    return true
                }
                output += paint(isObject ? "{" : "[", .punctuation)
                open.append(isObject)
                newLine()
                if isObject {
                    guard key(paint) else { return false }
                }
            case UInt8(ascii: "\""): return string(.string, paint)
            default: return scalar(paint)
            }
        }
    }

    private mutating func member(_ paint: (String, Part) -> String) -> Bool { key(paint) && value(paint) }

    private mutating func key(_ paint: (String, Part) -> String) -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: "\""), string(.key, paint) else { return false }
        skipSpace()
        guard next() == UInt8(ascii: ":") else { return false }
        output += paint(":", .punctuation) + " "
        return true
    }

    private mutating func string(_ part: Part, _ paint: (String, Part) -> String) -> Bool {
        let start = place
        place += 1
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""):
                output += paint(String(decoding: bytes[start..<place], as: UTF8.self), part)
                return true
            case UInt8(ascii: "\\"):
                guard let escape = next() else { return false }
                if escape == UInt8(ascii: "u") {
                    let digits = bytes[place..<min(place + 4, bytes.count)]
                    guard digits.count == 4, digits.allSatisfy(Self.isHexDigit) else { return false }
                    place += 4
                } else if !"\"\\/bfnrt".utf8.contains(escape) {
                    return false
                }
            case ..<0x20: return false
            default: break
            }
        }
        return false
    }

    private mutating func scalar(_ paint: (String, Part) -> String) -> Bool {
        let start = place
        while let byte = peek(), Self.isScalarByte(byte) { place += 1 }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        let isLiteral = ["true", "false", "null"].contains(text)
        guard isLiteral || text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+\-]?[0-9]+)?/) != nil else {
            return false
        }
        output += paint(text, isLiteral ? .literal : .number)
        return true
    }

    private mutating func newLine() {
        output += "\n" + String(repeating: "  ", count: min(open.count, Self.deepest))
    }

    private mutating func skipSpace() {
        while let byte = peek(), [0x20, 0x09, 0x0a, 0x0d].contains(byte) { place += 1 }
    }

    private func peek() -> UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func next() -> UInt8? {
        guard place < bytes.count else { return nil }
        defer { place += 1 }
        return bytes[place]
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// What a number or literal may consist of.
    private static func isScalarByte(_ byte: UInt8) -> Bool {
        isHexDigit(byte) || byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || "+-.".utf8.contains(byte)
    }
}

extension Style {
    func json(_ text: String, _ part: JSONLayout.Part) -> String {
        switch part {
        case .key: wrap(text, "34")
        case .string: wrap(text, "32")
        case .number: wrap(text, "33")
        case .literal: wrap(text, "35")
        case .punctuation: text
        }
    }
}
