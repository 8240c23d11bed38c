// The input, cut into lines.

/// Takes bytes as they come and gives whole lines, without their ends.
struct LineSplitter {
    /// One line is one message, which is built in memory; a file without line ends is not to take all of it.
    static let longestLine = 256 << 20

    /// Where `false`, there is one line: everything.
    let splits: Bool
    private let limit: Int
    private var pending: [UInt8] = []
    /// How much of `pending` has no line end for sure.
    private var looked = 0

    init(splits: Bool = true, limit: Int = Self.longestLine) {
        self.splits = splits
        self.limit = limit
    }

    /// The lines that are complete with `bytes`.
    mutating func add(_ bytes: [UInt8]) throws(InputProblem) -> [[UInt8]] {
        pending += bytes
        var lines: [[UInt8]] = []
        var start = 0
        if splits {
            var place = looked
            while let end = pending[place...].firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(Array(pending[start..<end]))
                start = end + 1
                place = start
            }
        }
        pending.removeFirst(start)
        looked = pending.count
        guard pending.count <= limit, lines.allSatisfy({ $0.count <= limit }) else { throw .tooLong(limit: limit) }
        return lines
    }

    /// What is left at the end of the input: a last line without its end, or all of it. `nil`: nothing.
    mutating func end() -> [UInt8]? {
        defer {
            pending = []
            looked = 0
        }
        return pending.isEmpty ? nil : pending
    }
}

/// Why something that was read cannot be sent.
enum InputProblem: Error, Equatable, CustomStringConvertible {
    case tooLong(limit: Int)
    case notText
    case notBase64

    var description: String {
        switch self {
        case .tooLong(let limit): "it has more than \(limit >> 20) MiB"
        case .notText: "it is not UTF-8; with --binary it can be sent as it is"
        case .notBase64: "it is not Base64"
        }
    }
}
