// Control frames, as they are typed with --slash.

/// What a line that begins with a slash asks for.
enum SlashCommand: Equatable {
    case ping(String)
    case pong(String)
    case close(code: Int, reason: String?)
    /// Two slashes at the beginning are one, and no command.
    case text(String)
    case unknown(String)

    /// `nil`: the line is no command but a message.
    init?(_ line: String) {
        guard line.hasPrefix("/") else { return nil }
        guard !line.hasPrefix("//") else {
            self = .text(String(line.dropFirst()))
            return
        }
        let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
        let rest = parts.count > 1 ? String(parts[1]) : ""
        switch parts.first {
        case "ping": self = .ping(rest)
        case "pong": self = .pong(rest)
        case "close":
            let words = rest.split(separator: " ", maxSplits: 1)
            guard let code = words.first.map({ Int($0) }) ?? 1000 else {
                self = .unknown("the code of /close is a number")
                return
            }
            self = .close(code: code, reason: words.count > 1 ? String(words[1]) : nil)
        default: self = .unknown("there are /ping, /pong and /close; // sends a slash")
        }
    }
}
