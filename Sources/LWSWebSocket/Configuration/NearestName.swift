// What somebody may have meant who wrote a name that is unknown.

enum NearestName {
    /// The known name that looks most like `name`: written in other letters, or with few changes, or the only one that has
    /// all of it. `nil` where none does.
    static func of(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased())
        let measured = known.map { (name: $0, changes: changes(from: wanted, to: Array($0.lowercased()))) }
        // Of short names few letters are like any other name.
        if let best = measured.min(by: { $0.changes < $1.changes }), best.changes <= wanted.count / 3 {
            return best.name
        }
        let longer = known.filter { wanted.count >= 4 && $0.lowercased().contains(name.lowercased()) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// How many letters have to be put in, taken out, replaced or exchanged with the next (the optimal string alignment
    /// distance).
    private static func changes(from: [Character], to: [Character]) -> Int {
        var before: [Int] = []
        var row = Array(0...to.count)
        for (i, letter) in from.enumerated() {
            var next = [i + 1]
            for (j, other) in to.enumerated() {
                var least = min(row[j] + (letter == other ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, letter == to[j - 1], from[i - 1] == other { least = min(least, before[j - 1] + 1) }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[to.count]
    }
}
