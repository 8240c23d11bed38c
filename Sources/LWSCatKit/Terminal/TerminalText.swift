// Text for a terminal: nothing in it a command, how wide it is, and its colours.

enum TerminalText {
    /// The text with what a terminal could take for a command made visible: whoever sends a message shall not be able to
    /// move the cursor, rename the window or hide what stands there. Line ends and tabs stay.
    static func harmless(_ text: String) -> String {
        // Looked for first, for most text has nothing of the kind.
        guard text.unicodeScalars.contains(where: { visible($0) != nil }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let visible = visible(scalar) {
                result.append(contentsOf: visible.unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// What stands for a control character. `nil`: it may stand as it is.
    private static func visible(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x09, 0x0a: nil
        case ..<0x20: "^\(Character(UnicodeScalar(UInt8(scalar.value + 0x40))))"
        case 0x7f: "^?"
        // C1, which some terminals obey as well, and what turns the direction of writing.
        case 0x80...0x9f, 0x200e...0x200f, 0x202a...0x202e, 0x2066...0x2069:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: nil
        }
    }

    /// How many columns a character takes.
    static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        // An emoji of several scalars, or one that asks to be shown as a picture.
        if character.unicodeScalars.dropFirst().contains(where: { $0.value == 0xfe0f }) { return 2 }
        return switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: 0
        default: isWide(first.value) ? 2 : 1
        }
    }

    static func width(_ text: some Sequence<Character>) -> Int { text.reduce(0) { $0 + width($1) } }

    /// East Asian Wide and Fullwidth (UAX #11), in whole blocks.
    private static func isWide(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x1100...0x115f, 0x231a...0x231b, 0x23e9...0x23ec, 0x2614...0x2615, 0x26a1, 0x2705, 0x274c,
            0x2753...0x2755, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f1e6...0x1f1ff, 0x1f300...0x1f64f, 0x1f680...0x1f6ff,
            0x1f900...0x1f9ff, 0x1fa70...0x1faff, 0x20000...0x3fffd:
            true
        default: false
        }
    }
}

// MARK: - Colours, where there are any

/// Wraps text in the terminal's colours, or leaves it.
struct Style: Sendable {
    let isColoured: Bool

    static let plain = Style(isColoured: false)

    /// Only on a terminal, never where `NO_COLOR` is set to anything, and never on one that knows no colours.
    /// - Parameter isWanted: what the command line says.
    init(for descriptor: Descriptor, isWanted: Bool, environment: [String: String]) {
        isColoured =
            isWanted && descriptor.isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }

    init(isColoured: Bool) { self.isColoured = isColoured }

    func received(_ text: String) -> String { wrap(text, "36") }
    func prompt(_ text: String) -> String { wrap(text, "32") }
    func failure(_ text: String) -> String { wrap(text, "31") }
    func faint(_ text: String) -> String { wrap(text, "2") }

    /// - Parameter code: of SGR (ECMA-48, section 8.3.117).
    func wrap(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
