// Rules for strings.

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
