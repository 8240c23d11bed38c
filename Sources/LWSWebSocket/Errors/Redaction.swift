// Keeps secrets out of words that others have chosen.

/// Takes what is secret out of a text, in each form in which it may have been sent.
struct Redaction: Sendable {
    private let secrets: [String]

    /// - Parameter values: the secrets as they are.
    init(_ values: [String]) {
        let forms = values.filter { !$0.isEmpty }.flatMap { [$0, FormEncoding.encode($0)] }
        // A longer one may have a shorter one in it.
        secrets = Set(forms).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// The text without the secrets and control characters, and not longer than an error should be.
    func clean(_ text: String) -> String {
        var text = text
        for secret in secrets { text = text.replacing(secret, with: "[secret]") }
        let shown = text.unicodeScalars.prefix(Self.longest).map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }
        return String(String.UnicodeScalarView(shown)) + (text.unicodeScalars.count > Self.longest ? "…" : "")
    }

    private static let longest = 500
}
