// JSON/: JSON of any shape, and the place of what is wrong in it.
//
// Holds: JSONValue, the guard that comes before decoding, a scanner for what Foundation does not tell, and errors of Codable in
// words, with the path of the field. Pure.
// Used by: Client, Configuration, Auth, Validation.
// Uses: Messages; LWSServiceLoop.

/// A JSON value of no particular type (RFC 8259), for messages whose shape is not known beforehand.
///
/// ```swift
/// let answer = try client.readMessage(as: JSONValue.self)
/// if let price = answer["orders"]?[2]?["price"]?.doubleValue { print(price) }
/// try client.writeMessage(["event": "greeting", "retry": 3, "tags": [true, nil]] as JSONValue)
/// ```
///
/// JSON has one kind of number, so whole numbers are equal whichever case holds them (`.number(3) == .integer(3)`),
/// and `3.0` read from JSON is `.integer(3)`.
public enum JSONValue: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number, exact: all of `Int64` and `UInt64`, and beyond up to the range of `Int128`. Larger ones are
    /// read as a ``number(_:)`` with the precision of a `Double`.
    case integer(Int128)
    /// Any other number, to the precision of a `Double`, as far as that goes; larger ones do not bind.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object. The order of its members is not kept, and of members of the same name one is kept. A message with two whose
    /// names differ, but are equal after Unicode normalisation, does not bind, for one would be lost.
    case object([String: JSONValue])
}

extension JSONValue: Hashable {
    /// A whole number has one form for comparing.
    private var wholeNumber: Int128? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int128(exactly: value)
        default: nil
        }
    }

    /// Whether the two are the same JSON; whole numbers are compared as such, whichever case holds them.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.integer, .integer), (.integer, .number), (.number, .integer):
            left.wholeNumber.map { $0 == right.wholeNumber } ?? false
        case (.string(let left), .string(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    /// Goes with `==`.
    public func hash(into hasher: inout Hasher) {
        if let wholeNumber { return hasher.combine(wholeNumber) }
        switch self {
        case .null, .integer: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int128) { self = .integer(value) }
    /// Any other number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// Of members of the same name the last is kept.
    public init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(Dictionary(members) { _, last in last })
    }
}

// MARK: - Looking into JSON of any shape

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

    /// What it is, in words.
    enum Kind: String {
        case null
        case bool = "true or false"
        case number = "a number"
        case string = "a string"
        case array = "an array"
        case object = "an object"
    }

    var kind: Kind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .integer, .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// The members, where it is an object.
    public var objectValue: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
}

// MARK: - Reading and writing JSON of any shape

extension JSONValue: Codable {
    // The steps are functions of their own so that what they need on the stack is gone before the next level.
    /// Reads a value of any shape.
    public init(from decoder: any Decoder) throws {
        if let scalar = try Self.scalar(decoder) {
            self = scalar
        } else if let elements = try? decoder.unkeyedContainer() {
            self = .array(try Self.elements(elements))
        } else {
            self = .object(try Self.members(decoder))
        }
    }

    @inline(never)
    private static func scalar(_ decoder: any Decoder) throws -> JSONValue? {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() { return .null }
        if let value = try? container.decode(String.self) { return .string(value) }
        if let value = try? container.decode(Int128.self) {
            // Integers have no negative zero, which JSON has.
            if value == 0, let zero = try? container.decode(Double.self), zero.sign == .minus { return .number(zero) }
            return .integer(value)
        }
        if let value = try? container.decode(Double.self) { return .number(value) }
        if let value = try? container.decode(Bool.self) { return .bool(value) }
        return nil
    }

    private static func elements(_ container: any UnkeyedDecodingContainer) throws -> [JSONValue] {
        var container = container
        var values: [JSONValue] = []
        values.reserveCapacity(container.count ?? 0)
        while !container.isAtEnd { values.append(try container.decode(JSONValue.self)) }
        return values
    }

    /// As a dictionary, for its keys are left alone whatever the decoder's strategy for keys.
    private static func members(_ decoder: any Decoder) throws -> [String: JSONValue] {
        let path = decoder.codingPath
        do {
            let members = try decoder.singleValueContainer().decode([String: JSONValue].self)
            if let name = AmbiguousNames.current?.name(in: members) {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: path,
                        debugDescription:
                            "two names are equal after Unicode normalisation: \(FieldPath.cut(name, to: 64))"))
            }
            return members
        } catch DecodingError.typeMismatch(_, let context) where context.codingPath.count == path.count {
            // All else has been tried.
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: path,
                    debugDescription: "a number is too large for a Double, or a string has a bad escape"))
        }
    }

    /// Writes the value to any encoder.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        // Not every encoder knows the wider type.
        case .integer(let value):
            if let value = Int64(exactly: value) { try container.encode(value) } else { try container.encode(value) }
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
