// The lines that were typed before.

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
