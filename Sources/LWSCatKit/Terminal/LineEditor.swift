// Terminal/: the terminal.
//
// Holds: the line editor (no I/O), the screen that it is shown on, colours, and the standard descriptors.
// Used by: Command, Bench, Session, Messages.
// Uses: LWSServiceLoop.

/// Takes a terminal's bytes and tells what is to be done.
struct LineEditor {
    enum Action: Equatable {
        /// A line was entered; the one that is shown is empty again.
        case enter(String)
        case endOfInput
        case interrupt
        case clearScreen
        case suspend
    }

    private(set) var line = EditedLine()
    private var history = History()
    private var decoder = KeyDecoder()

    /// What is to be done besides showing the line, in the order in which it was asked for.
    mutating func add(_ bytes: [UInt8]) -> [Action] {
        decoder.add(bytes).compactMap { press($0) }
    }

    private mutating func press(_ key: Key) -> Action? {
        switch key {
        case .enter:
            let text = line.text
            history.add(text)
            line.replace(with: "")
            return .enter(text)
        case .endOfInput where line.isEmpty: return .endOfInput
        case .interrupt: return .interrupt
        case .clearScreen: return .clearScreen
        case .suspend: return .suspend
        default:
            edit(key)
            return nil
        }
    }

    private mutating func edit(_ key: Key) {
        switch key {
        case .character(let character): line.insert(character)
        case .backspace: line.eraseBefore()
        case .delete, .endOfInput: line.eraseAfter()
        case .left: line.moveLeft()
        case .right: line.moveRight()
        case .wordLeft: line.moveWordLeft()
        case .wordRight: line.moveWordRight()
        case .home: line.moveToStart()
        case .end: line.moveToEnd()
        case .eraseToEnd: line.eraseToEnd()
        case .eraseToStart: line.eraseToStart()
        case .eraseWord: line.eraseWord()
        case .eraseNextWord: line.eraseNextWord()
        case .insertErased: line.insertErased()
        case .transpose: line.transpose()
        case .up: history.previous(insteadOf: line.text).map { line.replace(with: $0) }
        case .down: history.next().map { line.replace(with: $0) }
        case .enter, .interrupt, .clearScreen, .suspend: break
        }
    }
}

// MARK: - The lines that were typed before

/// Kept in memory alone: what people type may be secret.
struct History {
    private var lines: [String] = []
    /// Where in `lines` the shown one is; `lines.count`: the one that is typed.
    private var place = 0
    /// What was being typed when somebody went back.
    private var draft = ""
    private let limit: Int

    init(limit: Int = 1000) { self.limit = limit }

    /// Remembers a line, unless it is empty or the same as the last one.
    mutating func add(_ line: String) {
        if !line.isEmpty, line != lines.last { lines.append(line) }
        if lines.count > limit { lines.removeFirst() }
        place = lines.count
        draft = ""
    }

    /// The line before the shown one, which is `current`. `nil`: there is none.
    mutating func previous(insteadOf current: String) -> String? {
        guard place > 0 else { return nil }
        if place == lines.count { draft = current }
        place -= 1
        return lines[place]
    }

    /// The line after the shown one, at last what was being typed. `nil`: there is none.
    mutating func next() -> String? {
        guard place < lines.count else { return nil }
        place += 1
        return place < lines.count ? lines[place] : draft
    }
}

// MARK: - The part of a long line that fits into a row

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
