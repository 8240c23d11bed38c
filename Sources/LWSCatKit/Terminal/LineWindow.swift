// The part of a long line that fits into a row.

/// A line as it is shown: in one row, which scrolls sideways, so that it can always be wiped away and shown again.
struct LineWindow: Equatable {
    /// What is shown.
    let text: String
    /// The column of the cursor within it.
    let cursor: Int
}

extension LineWindow {
    /// - Parameter columns: how many there are; the cursor may stand behind the last character.
    init(_ line: EditedLine, columns: Int) {
        let room = max(2, columns)
        let shown = line.characters.map(Self.shown)
        // The smallest start with which the cursor, and the character that it stands on, is inside.
        var start = 0
        let last = min(line.cursor + 1, shown.count)
        var width = TerminalText.width(shown[..<last]) + (line.cursor == shown.count ? 1 : 0)
        while width > room, start < line.cursor {
            width -= TerminalText.width(shown[start])
            start += 1
        }
        var end = start
        var taken = 0
        while end < shown.count, taken + TerminalText.width(shown[end]) <= room {
            taken += TerminalText.width(shown[end])
            end += 1
        }
        text = String(shown[start..<end])
        cursor = TerminalText.width(shown[start..<min(line.cursor, shown.count)])
    }

    /// A tab has no width of its own, and what was pasted must not be obeyed by the terminal either.
    private static func shown(_ character: Character) -> Character {
        if character == "\t" { return "␉" }
        let text = String(character)
        return TerminalText.harmless(text) == text ? character : "\u{fffd}"
    }
}
