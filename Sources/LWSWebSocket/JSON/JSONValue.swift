// JSON/: JSON of any shape, and the place of what is wrong in it.
//
// Holds: JSONValue, the guard that comes before decoding, a scanner for what Foundation does not tell, and errors
// of Codable in words, with the path of the field. Pure.
// Used by: Client, Configuration, Auth, Validation.
// Uses: Messages; LWSServiceLoop.

// JSON of any shape.

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
