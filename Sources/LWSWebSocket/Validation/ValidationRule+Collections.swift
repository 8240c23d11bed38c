// Rules for collections.

extension ValidationRule where Value: Collection & SendableMetatype {
    /// Exactly `count` elements; characters of a string, counted as in ``minLength(_:)``.
    public static func length(_ count: Int) -> ValidationRule {
        let noun = Value.self is any StringProtocol.Type ? "characters" : "elements"
        return ValidationRule("must have exactly \(count) \(noun)") { $0.count == count }
    }

    /// At least `count` elements.
    public static func minCount(_ count: Int) -> ValidationRule {
        ValidationRule("must have at least \(count) elements") { $0.count >= count }
    }

    /// At most `count` elements.
    public static func maxCount(_ count: Int) -> ValidationRule {
        ValidationRule("must have at most \(count) elements") { $0.count <= count }
    }
}
