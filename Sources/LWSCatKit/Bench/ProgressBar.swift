// How far the measuring is.

import LWSServiceLoop

/// A bar in the last row of a terminal. Where there is none, nothing is shown.
struct ProgressBar: Sendable {
    private let descriptor: Descriptor
    private let last = Locked<ContinuousClock.Instant?>(nil)

    private static let width = 30
    /// Often enough to look alive, and seldom enough not to be measured.
    private static let pause = Duration.milliseconds(100)

    /// `nil`: it is no terminal.
    init?(_ descriptor: Descriptor) {
        guard descriptor.isTerminal else { return nil }
        self.descriptor = descriptor
    }

    /// Shows it, unless that has been done just now.
    /// - Parameter fraction: of the whole, from 0 to 1.
    func show(_ name: String, _ fraction: Double, _ count: @autoclosure () -> String) {
        let now = ContinuousClock.now
        let isDue = last.withLock { last in
            if let last, now - last < Self.pause { return false }
            last = now
            return true
        }
        if isDue { descriptor.write("\r\u{1b}[K" + Self.row(name, fraction, count())) }
    }

    func clear() { descriptor.write("\r\u{1b}[K") }

    static func row(_ name: String, _ fraction: Double, _ count: String) -> String {
        let fraction = min(1, max(0, fraction))
        let full = Int(fraction * Double(width))
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
        let percent = String(Int(fraction * 100))
        return "\(name) [\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(count)"
    }
}
