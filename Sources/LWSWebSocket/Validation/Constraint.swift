// What has to hold for a type, field by field.

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
