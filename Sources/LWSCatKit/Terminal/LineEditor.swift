// Terminal/: the terminal.
//
// Holds: the line editor (no I/O), the screen that it is shown on, colours, and the standard descriptors.
// Used by: Command, Bench, Session, Messages.
// Uses: LWSServiceLoop.

// The line editor: what keys do to the line. No I/O.

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
