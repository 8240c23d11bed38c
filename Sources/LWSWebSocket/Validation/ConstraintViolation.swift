// A constraint that a value does not keep.

/// A field of a message and the rule that it breaks.
public struct ConstraintViolation: Sendable, Hashable, CustomStringConvertible {
    /// Where the field is, as in `orders[2].price`. Empty for the value itself.
    public let path: String
    /// The rule, as in "must be at least 0".
    public let rule: String

    init(path: String, rule: String) {
        self.path = path
        self.rule = rule
    }

    /// Both in a phrase: "orders[2].price must be at least 0".
    public var description: String { "\(path.isEmpty ? "the value" : path) \(rule)" }

    /// A description stays readable however much is wrong.
    static func list(_ violations: [ConstraintViolation]) -> String {
        let shown = 20
        let more = violations.count > shown ? "; and \(violations.count - shown) more" : ""
        return violations.prefix(shown).map(\.description).joined(separator: "; ") + more
    }
}
