// Reading and writing JSON of any shape.

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(Int128.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if var elements = try? decoder.unkeyedContainer() {
            var values: [JSONValue] = []
            values.reserveCapacity(elements.count ?? 0)
            while !elements.isAtEnd { values.append(try elements.decode(JSONValue.self)) }
            self = .array(values)
        } else {
            self = .object(try Self.members(container, at: decoder.codingPath))
        }
    }

    /// As a dictionary, for its keys are left alone whatever the decoder's strategy for keys.
    private static func members(
        _ container: any SingleValueDecodingContainer, at path: [any CodingKey]
    ) throws -> [String: JSONValue] {
        do {
            return try container.decode([String: JSONValue].self)
        } catch DecodingError.typeMismatch(_, let context) where context.codingPath.count == path.count {
            // All else has been tried, so it is a number.
            throw DecodingError.dataCorrupted(
                .init(codingPath: path, debugDescription: "a number is too large for a Double"))
        }
    }

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
