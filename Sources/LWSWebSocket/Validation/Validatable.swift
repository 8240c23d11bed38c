// Validation/: constraints of values.
//
// Holds: Validatable, the rules there are, and the check of a value against them. Pure.
// Used by: Client, Errors.
// Uses: JSON.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A type whose values have to keep constraints, which ``WebSocketClient/readMessage(as:)`` checks after binding.
///
/// ```swift
/// struct Order: Codable, Validatable {
///     var customer: String
///     var note: String?
///     var items: [Item]
///
///     static let constraints: [Constraint<Order>] = [
///         .field("customer", \.customer, .minLength(1), .pattern("[a-z]+")),
///         .field("note", \.note, .maxLength(200)),
///         .field("items", \.items, .minCount(1)),
///     ]
/// }
///
/// struct Item: Codable, Validatable {
///     var price: Double
///
///     static let constraints: [Constraint<Item>] = [
///         .field("price", \.price, .minimum(0), .exclusiveMaximum(1000), .maxFractionDigits(2))
///     ]
/// }
/// ```
///
/// Where `Item` is `Validatable` too, the items are checked with the order, and their violations have paths like
/// `items[2].price`. That goes for every value that is named by a constraint, and for the arrays, dictionaries and
/// optionals of such values (dictionaries with `String` keys). A property that no constraint names is not looked at:
/// name it without a rule, as in `.nested("items", \.items)`. Sets are not gone through, since their elements have no
/// place.
///
/// A class has to be `final`. The constraints are asked for each time that a value is checked, so keep them in a
/// `static let`.
public protocol Validatable: SendableMetatype {
    /// What has to hold. Everything is checked, so that all violations are reported at once.
    static var constraints: [Constraint<Self>] { get }
}

extension Validatable {
    /// The constraints that this value violates, each with its field; at most 1000. Empty for a valid value.
    ///
    /// ``WebSocketClient/readMessage(as:)`` asks this of every value that it binds. Never blocks; any thread.
    public func constraintViolations() -> [ConstraintViolation] { violations(at: Date()) }

    func violations(at now: Date) -> [ConstraintViolation] {
        var run = ValidationRun(now: now)
        check(in: &run)
        return run.violations
    }

    func check(in run: inout ValidationRun) {
        for constraint in Self.constraints where !run.isFull { constraint.check(self, &run) }
    }
}

extension Optional: Validatable where Wrapped: Validatable {
    /// Those of the value, where there is one.
    public static var constraints: [Constraint<Self>] {
        [Constraint { value, run in value?.check(in: &run) }]
    }
}

extension Array: Validatable where Element: Validatable {
    /// Those of every element.
    public static var constraints: [Constraint<Self>] {
        [
            Constraint { values, run in
                for (index, value) in values.enumerated() where !run.isFull {
                    run.descend(.index(index)) { value.check(in: &$0) }
                }
            }
        ]
    }
}

extension Dictionary: Validatable where Key == String, Value: Validatable {
    /// Those of every value, in the order of the keys.
    public static var constraints: [Constraint<Self>] {
        [
            Constraint { values, run in
                for (key, value) in values.sorted(by: { $0.key < $1.key }) where !run.isFull {
                    run.descend(.key(key)) { value.check(in: &$0) }
                }
            }
        ]
    }
}

// MARK: - A constraint that a value does not keep

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

// MARK: - The state of checking one value

/// Where checking has got to, and what it has found.
struct ValidationRun {
    /// One moment for all rules about dates.
    let now: Date
    private(set) var violations: [ConstraintViolation] = []
    private var path = FieldPath()

    /// A message of many small invalid elements would otherwise become a far larger list.
    static let mostViolations = 1000

    init(now: Date) { self.now = now }

    var isFull: Bool { violations.count >= Self.mostViolations }

    mutating func report(_ rule: String) {
        guard !isFull else { return }
        violations.append(ConstraintViolation(path: path.description, rule: rule))
    }

    /// Runs `body` one step further down.
    mutating func descend(_ step: FieldPath.Step, _ body: (inout ValidationRun) -> Void) {
        path.steps.append(step)
        body(&self)
        path.steps.removeLast()
    }
}

// MARK: - What has to hold for a type, field by field

/// Something that has to hold for every value of a ``Validatable`` type: rules for one of its fields, mostly.
///
/// The name of a field is the one that violations are reported under; it is usually the property's, or its key in
/// the JSON. The compiler checks that the rules fit the property's type.
public struct Constraint<Root>: Sendable {
    let check: @Sendable (Root, inout ValidationRun) -> Void

    init(_ check: @escaping @Sendable (Root, inout ValidationRun) -> Void) { self.check = check }

    /// Rules for a property. If its value is ``Validatable`` itself, its own constraints are checked too.
    public static func field<Value>(
        _ name: String, _ property: any KeyPath<Root, Value> & Sendable, _ rules: ValidationRule<Value>...
    ) -> Constraint {
        Constraint { root, run in
            run.descend(.key(name)) { Self.check(root[keyPath: property], rules, &$0) }
        }
    }

    /// Rules for an optional property, which apply when there is a value.
    public static func field<Value>(
        _ name: String, _ property: any KeyPath<Root, Value?> & Sendable, _ rules: ValidationRule<Value>...
    ) -> Constraint {
        Constraint { root, run in
            guard let value = root[keyPath: property] else { return }
            run.descend(.key(name)) { Self.check(value, rules, &$0) }
        }
    }

    /// An optional property that has to have a value, and rules for that.
    public static func required<Value>(
        _ name: String, _ property: any KeyPath<Root, Value?> & Sendable, _ rules: ValidationRule<Value>...
    ) -> Constraint {
        Constraint { root, run in
            run.descend(.key(name)) { run in
                guard let value = root[keyPath: property] else { return run.report("is required") }
                Self.check(value, rules, &run)
            }
        }
    }

    /// A property whose own constraints are checked. As `field` without rules, and the compiler sees to it that the
    /// property has constraints.
    public static func nested<Value: Validatable>(
        _ name: String, _ property: any KeyPath<Root, Value> & Sendable
    ) -> Constraint {
        field(name, property)
    }

    /// Rules for every element of a property. The path of a violation has the element's place: `tags[3]`.
    public static func each<Values: Sequence>(
        _ name: String, _ property: any KeyPath<Root, Values> & Sendable, _ rules: ValidationRule<Values.Element>...
    ) -> Constraint {
        Constraint { root, run in
            run.descend(.key(name)) { run in
                for (index, value) in root[keyPath: property].enumerated() where !run.isFull {
                    run.descend(.index(index)) { run in
                        for rule in rules { rule.check(value, &run) }
                    }
                }
            }
        }
    }

    /// A rule in the type's own words, over as many of its properties as it likes.
    ///
    /// ```swift
    /// .rule("end", "must be after start") { $0.end > $0.start }
    /// ```
    /// - Parameters:
    ///   - name: the field that a violation is reported under; `nil` for the value itself.
    ///   - text: what has to hold, to be read after the field's name.
    ///   - holds: whether it does.
    public static func rule(
        _ name: String?, _ text: String, _ holds: @escaping @Sendable (Root) -> Bool
    ) -> Constraint {
        Constraint { root, run in
            guard !holds(root) else { return }
            guard let name else { return run.report(text) }
            run.descend(.key(name)) { $0.report(text) }
        }
    }

    private static func check<Value>(_ value: Value, _ rules: [ValidationRule<Value>], _ run: inout ValidationRun) {
        for rule in rules { rule.check(value, &run) }
        if let nested = value as? any Validatable { nested.check(in: &run) }
    }
}
