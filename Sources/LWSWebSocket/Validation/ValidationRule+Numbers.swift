// Rules for numbers.

extension ValidationRule where Value: Numeric & Comparable & Sendable {
    /// At least `limit`. Like the other rules with a limit, it is broken by NaN.
    public static func minimum(_ limit: Value) -> ValidationRule {
        ValidationRule("must be at least \(limit)") { $0 >= limit }
    }

    /// At most `limit`.
    public static func maximum(_ limit: Value) -> ValidationRule {
        ValidationRule("must be at most \(limit)") { $0 <= limit }
    }

    /// More than `limit`.
    public static func exclusiveMinimum(_ limit: Value) -> ValidationRule {
        ValidationRule("must be more than \(limit)") { $0 > limit }
    }

    /// Less than `limit`.
    public static func exclusiveMaximum(_ limit: Value) -> ValidationRule {
        ValidationRule("must be less than \(limit)") { $0 < limit }
    }
}

extension ValidationRule where Value: Numeric & CustomStringConvertible & SendableMetatype {
    /// At most `count` digits before the decimal point. Leading zeros do not count, so 0 and 0.5 have none. Infinity
    /// and NaN break it.
    public static func maxIntegerDigits(_ count: Int) -> ValidationRule {
        ValidationRule("must have at most \(count) digits before the decimal point") { value in
            DecimalDigits(value.description).map { $0.integer <= count } ?? false
        }
    }

    /// At most `count` digits after the decimal point. Trailing zeros do not count. Infinity and NaN break it.
    ///
    /// The digits of a `Double` are those of the shortest decimal number that it stands for, those of the JSON
    /// mostly. Calculated values have more: 0.1 + 0.2 is 0.30000000000000004.
    public static func maxFractionDigits(_ count: Int) -> ValidationRule {
        ValidationRule("must have at most \(count) digits after the decimal point") { value in
            DecimalDigits(value.description).map { $0.fraction <= count } ?? false
        }
    }
}
