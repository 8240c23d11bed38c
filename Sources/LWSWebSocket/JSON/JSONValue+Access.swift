// Looking into JSON of any shape.

extension JSONValue {
    /// A member of an object. `nil` where this is no object or has no such member. Setting one makes an object of
    /// anything that is none; setting `nil` removes the member (`.null` is a value like any other).
    public subscript(key: String) -> JSONValue? {
        get { objectValue?[key] }
        set {
            var members = objectValue ?? [:]
            members[key] = newValue
            self = .object(members)
        }
    }

    /// An element of an array. `nil` where this is no array or not as long.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// Whether it is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The boolean, where it is one.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The whole number, where it is one and an `Int` can hold it.
    public var intValue: Int? { integer() }

    /// The whole number as an integer of any type, where it is one and fits: `value.integer(as: UInt64.self)`.
    public func integer<Integer: BinaryInteger>(as type: Integer.Type = Integer.self) -> Integer? {
        switch self {
        case .integer(let value): Integer(exactly: value)
        case .number(let value): Integer(exactly: value)
        default: nil
        }
    }

    /// The number, whole or not, where it is one. A whole number beyond 2^53 is rounded.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The string, where it is one.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The elements, where it is an array.
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    /// The members, where it is an object.
    public var objectValue: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
}
