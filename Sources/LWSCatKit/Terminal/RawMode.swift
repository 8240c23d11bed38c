// The terminal while keys are read one by one.

import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

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
