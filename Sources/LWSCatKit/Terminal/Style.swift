// Colours, where there are any.

/// Wraps text in the terminal's colours, or leaves it.
struct Style: Sendable {
    let isColoured: Bool

    static let plain = Style(isColoured: false)

    /// Only on a terminal, never where `NO_COLOR` is set to anything, and never on one that knows no colours.
    /// - Parameter isWanted: what the command line says.
    init(for descriptor: Descriptor, isWanted: Bool, environment: [String: String]) {
        isColoured =
            isWanted && descriptor.isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }

    init(isColoured: Bool) { self.isColoured = isColoured }

    func received(_ text: String) -> String { wrap(text, "36") }
    func prompt(_ text: String) -> String { wrap(text, "32") }
    func failure(_ text: String) -> String { wrap(text, "31") }
    func faint(_ text: String) -> String { wrap(text, "2") }

    /// - Parameter code: of SGR (ECMA-48, section 8.3.117).
    func wrap(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
