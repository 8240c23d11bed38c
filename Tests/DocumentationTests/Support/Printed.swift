// What the samples print, kept so that it can be checked.

import LWSServiceLoop
import TestSupport

/// What was printed. Samples run one after the other (``Samples``), so there is one list for all.
enum Printed {
    private static let lines = Locked<[String]>([])

    static func add(_ line: String) { lines.withLock { $0.append(line) } }

    /// All since the last time.
    static func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    /// Waits until other threads have printed `count` lines, and takes them.
    static func take(_ count: Int) -> [String] {
        _ = eventually { lines.withLock { $0.count } >= count }
        return take()
    }
}

/// Stands in for Swift's own in the samples, with the same parameters: only so does it hide that.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    Printed.add(items.map { String(describing: $0) }.joined(separator: separator))
}
