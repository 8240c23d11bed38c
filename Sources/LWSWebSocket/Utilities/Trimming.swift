// Blanks around a text, taken off.

extension StringProtocol {
    /// The text between the first and the last character that is not blank.
    func trimming(_ isBlank: (Character) -> Bool) -> String {
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }

    /// Without the blanks of HTTP (OWS of RFC 9110, section 5.6.3).
    var trimmingBlanks: String { trimming { $0 == " " || $0 == "\t" } }
}
