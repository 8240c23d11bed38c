// What has to hold for one value: the rules there are.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A rule for a value, for use in a ``Constraint``. Which rules there are depends on the type of the value.
public struct ValidationRule<Value>: Sendable {
    private let text: String
    private let holds: @Sendable (Value, Date) -> Bool

    /// A rule of the application's own.
    /// - Parameters:
    ///   - text: what has to hold, to be read after the field's name: "must be even".
    ///   - holds: whether it does.
    public init(_ text: String, _ holds: @escaping @Sendable (Value) -> Bool) {
        self.text = text
        self.holds = { value, _ in holds(value) }
    }

    /// A rule that asks for the time.
    init(_ text: String, at holds: @escaping @Sendable (Value, _ now: Date) -> Bool) {
        self.text = text
        self.holds = holds
    }

    func check(_ value: Value, _ run: inout ValidationRun) {
        if !holds(value, run.now) { run.report(text) }
    }
}

// MARK: - Rules for collections

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

// MARK: - Rules for dates

/// They compare with the time at which the value is checked, the same for all rules of one check.
extension ValidationRule where Value == Date {
    /// Before now.
    public static var past: ValidationRule { ValidationRule("must be in the past", at: { $0 < $1 }) }

    /// Now or before.
    public static var pastOrPresent: ValidationRule { ValidationRule("must not be in the future", at: { $0 <= $1 }) }

    /// After now.
    public static var future: ValidationRule { ValidationRule("must be in the future", at: { $0 > $1 }) }

    /// Now or after.
    public static var futureOrPresent: ValidationRule { ValidationRule("must not be in the past", at: { $0 >= $1 }) }
}

// MARK: - Rules for numbers

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

// MARK: - Rules for strings

extension ValidationRule where Value: StringProtocol & SendableMetatype {
    /// At least `count` characters. Characters are Swift's, as a reader sees them: "é" and "👩‍👩‍👧" are one each,
    /// whatever number of code points they consist of.
    public static func minLength(_ count: Int) -> ValidationRule {
        ValidationRule("must have at least \(count) characters") { $0.count >= count }
    }

    /// At most `count` characters, counted as in ``minLength(_:)``. A character may be made of any number of code
    /// points; ``ClientConfiguration/maxMessageSize`` bounds the bytes.
    public static func maxLength(_ count: Int) -> ValidationRule {
        ValidationRule("must have at most \(count) characters") { $0.count <= count }
    }

    /// The whole string matches a regular expression, in the syntax of Swift's `Regex`.
    ///
    /// It is compiled for each check. An expression that is not valid lets no value pass, and the violation says
    /// why; ``matches(_:)`` has it checked by the compiler. Expressions with nested repetition (`(a+)+`) can take
    /// time without end on a string that an attacker chooses.
    public static func pattern(_ expression: String) -> ValidationRule {
        if let error = expressionError(expression) {
            return ValidationRule(
                "cannot be checked: \(expression.debugDescription) is no regular expression (\(error))"
            ) { _ in
                false
            }
        }
        return ValidationRule("must match \(expression)") { value in
            guard let regex = try? Regex(expression) else { return false }
            return matches(String(value), regex)
        }
    }

    /// The whole string matches a regular expression that the closure makes: `.matches { /[a-z]+/ }`.
    ///
    /// A closure because a `Regex` may not be shared between threads.
    public static func matches<Output>(_ expression: @escaping @Sendable () -> Regex<Output>) -> ValidationRule {
        ValidationRule("must match its pattern") { matches(String($0), expression()) }
    }

    private static func matches<Output>(_ text: String, _ regex: Regex<Output>) -> Bool {
        do {
            return try regex.wholeMatch(in: text) != nil
        } catch {
            return false
        }
    }

    private static func expressionError(_ expression: String) -> String? {
        do {
            _ = try Regex(expression)
            return nil
        } catch {
            return String(describing: error)
        }
    }
}

// MARK: - How many digits a number has

/// The digits of a number before and after its decimal point, those that count.
struct DecimalDigits: Equatable {
    let integer: Int
    let fraction: Int

    /// From the text of a number as Swift writes it: `-12.50`, `1e-05`. `nil` where it is none: `inf`, `nan`.
    init?(_ text: String) {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        guard let mantissa = parts.first, let exponent = parts.count > 1 ? Int(parts[1]) : 0 else { return nil }
        let unsigned = mantissa.drop { $0 == "-" || $0 == "+" }
        let halves = unsigned.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = halves.first, !whole.isEmpty else { return nil }
        let broken = halves.count > 1 ? halves[1] : ""
        let digits = Array(whole.utf8) + Array(broken.utf8)
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        let zero = UInt8(ascii: "0")
        guard let first = digits.firstIndex(where: { $0 != zero }), let last = digits.lastIndex(where: { $0 != zero })
        else {
            integer = 0
            fraction = 0
            return
        }
        let point = whole.utf8.count + exponent
        integer = max(0, point - first)
        fraction = max(0, last + 1 - point)
    }
}
