// Reads JSON for what Foundation's decoder does not tell.

internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Finds where a text breaks the grammar of JSON (RFC 8259), and which names an object has more than once.
///
/// Foundation says neither, and takes a comma behind the last element.
struct JSONScanner {
    /// Where the text is not JSON.
    struct Mistake: Error {
        /// In bytes.
        let offset: Int
        let words: String
    }

    /// A name that an object has already.
    struct Repetition {
        /// Where it stands the second time, in bytes.
        let offset: Int
        let name: String
        /// Whether it is written with the same characters; else the two are equal only as Unicode has it, which is how a
        /// dictionary of Swift compares them.
        let isSpeltAlike: Bool
    }

    private let bytes: [UInt8]
    private var index = 0
    private var repetitions: [Repetition] = []

    /// - Parameter json: UTF-8, not nested deeper than ``JSONGuard`` allows.
    static func repetitions(in json: [UInt8]) throws(Mistake) -> [Repetition] {
        var scanner = JSONScanner(bytes: json)
        try scanner.value()
        guard scanner.next == nil else { throw scanner.mistake("there is something after the end") }
        return scanner.repetitions
    }

    /// The line and column, counted from 1 and in characters of Unicode, in words.
    static func place(_ offset: Int, in json: [UInt8]) -> String {
        let before = json.prefix(offset)
        let line = before.lastIndex(of: UInt8(ascii: "\n")).map { before[($0 + 1)...] } ?? before
        let column = String(decoding: line, as: UTF8.self).unicodeScalars.count + 1
        return "line \(before.count { $0 == UInt8(ascii: "\n") } + 1), column \(column)"
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func mistake(_ words: String) -> Mistake {
        Mistake(offset: index, words: index < bytes.count ? words : "\(words), and it ends there")
    }

    // MARK: - Tokens

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// The first byte of the next token.
    private var next: UInt8? {
        mutating get {
            while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
            return current
        }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ byte: Unicode.Scalar) throws(Mistake) {
        guard take(byte) else { throw mistake("expected \(byte)") }
    }

    // MARK: - Values

    private mutating func value() throws(Mistake) {
        switch next {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): _ = try string()
        case let byte? where byte == UInt8(ascii: "-") || Self.digits.contains(byte): try number()
        default:
            for word in ["true", "false", "null"] where bytes[index...].starts(with: word.utf8) {
                index += word.utf8.count
                return
            }
            throw mistake("expected a value")
        }
    }

    private mutating func object() throws(Mistake) {
        try expect("{")
        guard !take("}") else { return }
        var names: [String: String] = [:]
        repeat {
            guard next == UInt8(ascii: "\"") else { throw mistake("expected a name in quotes") }
            let offset = index
            let name = try string()
            if let first = names.updateValue(name, forKey: name) {
                let isSpeltAlike = first.unicodeScalars.elementsEqual(name.unicodeScalars)
                repetitions.append(Repetition(offset: offset, name: name, isSpeltAlike: isSpeltAlike))
            }
            try expect(":")
            try value()
        } while take(",")
        guard take("}") else { throw mistake("expected , or }") }
    }

    private mutating func array() throws(Mistake) {
        try expect("[")
        guard !take("]") else { return }
        repeat { try value() } while take(",")
        guard take("]") else { throw mistake("expected , or ]") }
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    private mutating func digits() throws(Mistake) {
        let start = index
        while let byte = current, Self.digits.contains(byte) { index += 1 }
        guard index > start else { throw mistake("expected a digit") }
    }

    private mutating func number() throws(Mistake) {
        if current == UInt8(ascii: "-") { index += 1 }
        if current == UInt8(ascii: "0") { index += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
    }

    /// Takes a string, and returns what it stands for.
    private mutating func string() throws(Mistake) -> String {
        let start = index
        var hasEscapes = false
        index += 1
        while current != UInt8(ascii: "\"") {
            guard let byte = current else { throw mistake("expected the string's closing quotes") }
            guard byte >= 0x20 else {
                throw mistake("expected the string's closing quotes, or an escape for this character")
            }
            index += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            hasEscapes = true
            try escape()
        }
        index += 1
        guard hasEscapes else { return String(decoding: bytes[(start + 1)..<(index - 1)], as: UTF8.self) }
        // Half of a surrogate pair is within the grammar, but no character.
        let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<index]))
        return text ?? String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func escape() throws(Mistake) {
        guard let byte = current, "\"\\/bfnrtu".utf8.contains(byte) else {
            throw mistake("expected an escape of JSON's")
        }
        index += 1
        guard byte == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard let digit = current, Character(Unicode.Scalar(digit)).isHexDigit else {
                throw mistake("expected four hexadecimal digits")
            }
            index += 1
        }
    }
}

// MARK: - Members that a dictionary of Swift would take for one

/// The names in a message of which an object has two that differ, but are equal as Unicode has it: "é" as one character, and as
/// an "e" with an accent. Strings of Swift are equal then, JSON's members are not (RFC 8259, section 8.3), and of two values a
/// dictionary would keep one. Found out when ``JSONValue`` asks, for other types do not have the names.
final class AmbiguousNames: Sendable {
    /// Those of the message that is decoded.
    @TaskLocal static var current: AmbiguousNames?

    private let json: [UInt8]
    private let found = Locked<[String]?>(nil)

    /// `nil` where there are none for certain: all names are in ASCII.
    init?(in json: [UInt8]) {
        guard json.contains(where: { $0 >= 0x80 || $0 == UInt8(ascii: "\\") }) else { return nil }
        self.json = json
    }

    /// One of them that is a name of the object's.
    func name(in object: [String: JSONValue]) -> String? {
        let names = found.withLock { found in
            if let found { return found }
            let repetitions = (try? JSONScanner.repetitions(in: json)) ?? []
            let names = repetitions.filter { !$0.isSpeltAlike }.map(\.name)
            found = names
            return names
        }
        return names.first { object[$0] != nil }
    }
}
