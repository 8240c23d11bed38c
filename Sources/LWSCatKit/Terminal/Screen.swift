// The terminal in an interactive session: the line being typed, and everything else above it.

import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Shows one line that is typed in the last row. Whatever else is shown goes above it and leaves it as it is.
///
/// Several threads show things; a lock keeps what they write apart.
final class Screen: Sendable {
    private struct State {
        var line: EditedLine?
        var hasEnded = false
    }

    private let descriptor: Descriptor
    private let style: Style
    private let state = Locked(State())

    private static let prompt = "> "
    /// To the row's beginning, and nothing in it any more.
    private static let wiped = "\r\u{1b}[K"

    init(_ descriptor: Descriptor, _ style: Style) {
        self.descriptor = descriptor
        self.style = style
    }

    /// Shows the line as it is now.
    func show(_ line: EditedLine) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.line = line
            descriptor.write(Self.wiped + drawn(line))
        }
    }

    /// Shows something that was received or happened, above the line. Returns false where the terminal is gone.
    @discardableResult
    func print(_ text: String, mark: String) -> Bool {
        state.withLock { state in
            // The further lines of a text stand below the first.
            let indented = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
            let line = state.hasEnded ? "" : state.line.map(drawn) ?? ""
            return descriptor.write(Self.wiped + mark + " " + indented + "\n" + line)
        }
    }

    /// Leaves the line where it is, whole, as one that was entered.
    func enter(_ text: String) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.line = EditedLine()
            descriptor.write(
                Self.wiped + style.prompt(Self.prompt) + TerminalText.harmless(text) + "\n" + drawn(EditedLine()))
        }
    }

    /// The same again, where the terminal may show something else by now.
    func redraw(clearing: Bool = false) {
        state.withLock { state in
            guard !state.hasEnded, let line = state.line else { return }
            descriptor.write((clearing ? "\u{1b}[H\u{1b}[2J" : Self.wiped) + drawn(line))
        }
    }

    /// Wipes the line away: nothing is typed any more. What is printed from now on stands alone.
    func end() {
        state.withLock { state in
            if !state.hasEnded, state.line != nil { descriptor.write(Self.wiped) }
            state.hasEnded = true
        }
    }

    private func drawn(_ line: EditedLine) -> String {
        let window = LineWindow(line, columns: columns - Self.prompt.count)
        let column = Self.prompt.count + window.cursor
        return style.prompt(Self.prompt) + window.text + "\r\u{1b}[\(column)C"
    }

    private var columns: Int {
        // A `struct winsize`, whose members Swift's module for the C library does not show.
        var size: (rows: UInt16, columns: UInt16, width: UInt16, height: UInt16) = (0, 0, 0, 0)
        guard ioctl(descriptor.number, UInt(TIOCGWINSZ), &size) == 0, size.columns > 0 else { return 80 }
        return Int(size.columns)
    }
}

// MARK: - The terminal while keys are read one by one

/// A terminal that can be told to hand over every key, and is told back what it was before.
final class RawMode: Sendable {
    private let terminal: Descriptor
    /// What the terminal was like, while it is raw.
    private let before = Locked<termios?>(nil)

    init(_ terminal: Descriptor) { self.terminal = terminal }

    /// Returns false where it is no terminal. Output stays as it is, so that a line feed begins a new row.
    @discardableResult
    func enter() -> Bool {
        before.withLock { before in
            guard before == nil else { return true }
            var settings = termios()
            guard tcgetattr(terminal.number, &settings) == 0 else { return false }
            let usual = settings
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
            settings.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR)
            withUnsafeMutableBytes(of: &settings.c_cc) { controls in
                controls[Int(VMIN)] = 1
                controls[Int(VTIME)] = 0
            }
            // What was typed ahead stays.
            guard tcsetattr(terminal.number, TCSADRAIN, &settings) == 0 else { return false }
            before = usual
            return true
        }
    }

    /// Does nothing where it is not raw.
    func leave() {
        before.withLock { before in
            guard var settings = before else { return }
            // At once: a terminal that takes no output must not keep the process from ending.
            tcsetattr(terminal.number, TCSANOW, &settings)
            before = nil
        }
    }
}
