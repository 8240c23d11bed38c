// Reading and writing JSON of any shape.

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
