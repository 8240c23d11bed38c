// What a terminal sends for the keys.

/// A key, or what it means where several keys mean the same.
enum Key: Equatable {
    case character(Character)
    case enter, backspace, delete
    case left, right, wordLeft, wordRight, home, end
    case up, down
    case eraseToEnd, eraseToStart, eraseWord, eraseNextWord, insertErased, transpose
    /// Ctrl-C, Ctrl-D, Ctrl-L, Ctrl-Z
    case interrupt, endOfInput, clearScreen, suspend
}

/// Makes keys of a terminal's bytes, which may come in any pieces.
struct KeyDecoder {
    private var pending: [UInt8] = []

    /// The keys that are complete with `bytes`.
    mutating func add(_ bytes: [UInt8]) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        while !pending.isEmpty, let (key, count) = first() {
            pending.removeFirst(count)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// The first key and how many bytes it has; no key for bytes that mean nothing. `nil` where there are to be more.
    private func first() -> (Key?, Int)? {
        switch pending[0] {
        case 0x1b: escape()
        case ..<0x20, 0x7f: (Self.control[pending[0]], 1)
        default: character()
        }
    }

    private static let control: [UInt8: Key] = [
        0x01: .home, 0x02: .left, 0x03: .interrupt, 0x04: .endOfInput, 0x05: .end, 0x06: .right, 0x08: .backspace,
        0x09: .character("\t"), 0x0a: .enter, 0x0b: .eraseToEnd, 0x0c: .clearScreen, 0x0d: .enter, 0x0e: .down,
        0x10: .up, 0x14: .transpose, 0x15: .eraseToStart, 0x17: .eraseWord, 0x19: .insertErased, 0x1a: .suspend,
        0x7f: .backspace,
    ]

    /// One scalar. The editor joins those that make up one character.
    private func character() -> (Key?, Int)? {
        let length =
            switch pending[0] {
            case ..<0x80: 1
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        guard length > 0 else { return (nil, 1) }
        let rest = pending.dropFirst().prefix(length - 1)
        // What does not continue the scalar begins something else.
        guard rest.allSatisfy({ $0 & 0xc0 == 0x80 }) else { return (nil, 1) }
        guard rest.count == length - 1 else { return nil }
        let scalar = String(validating: pending.prefix(length), as: UTF8.self)?.first
        return (scalar.map(Key.character), length)
    }

    // MARK: Escape sequences

    /// ESC [ parameters final, ESC O final, and ESC with a letter, which is what Alt sends. ESC alone begins what follows.
    private func escape() -> (Key?, Int)? {
        guard pending.count > 1 else { return nil }
        switch pending[1] {
        case UInt8(ascii: "["): return sequence()
        case UInt8(ascii: "O"):
            guard pending.count > 2 else { return nil }
            return (Self.finals[pending[2]], 3)
        case UInt8(ascii: "b"): return (.wordLeft, 2)
        case UInt8(ascii: "f"): return (.wordRight, 2)
        case UInt8(ascii: "d"): return (.eraseNextWord, 2)
        case 0x7f, 0x08: return (.eraseWord, 2)
        case 0x1b: return (nil, 1)
        default: return (nil, pending[1] < 0x20 ? 1 : 2)
        }
    }

    private static let finals: [UInt8: Key] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right, UInt8(ascii: "D"): .left,
        UInt8(ascii: "H"): .home, UInt8(ascii: "F"): .end,
    ]
    private static let numbered: [String: Key] = [
        "1": .home, "7": .home, "4": .end, "8": .end, "3": .delete,
    ]

    /// A control sequence (ECMA-48, section 5.4).
    private func sequence() -> (Key?, Int)? {
        guard let end = pending.dropFirst(2).firstIndex(where: { !(0x20...0x3f).contains($0) }) else {
            // Nothing that a key sends is longer.
            return pending.count > 32 ? (nil, pending.count) : nil
        }
        let parameters = String(decoding: pending[2..<end], as: UTF8.self).split(
            separator: ";", omittingEmptySubsequences: false)
        let count = end + 1
        guard pending[end] != UInt8(ascii: "~") else { return (Self.numbered[String(parameters[0])], count) }
        // Ctrl and Alt, with Shift or without.
        let isModified = parameters.count == 2 && ["3", "4", "5", "6", "7", "8"].contains(parameters[1])
        return switch (pending[end], isModified) {
        case (UInt8(ascii: "C"), true): (.wordRight, count)
        case (UInt8(ascii: "D"), true): (.wordLeft, count)
        default: (Self.finals[pending[end]], count)
        }
    }
}
