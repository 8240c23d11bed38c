// Finds the place at which decoding fails, where Foundation does not tell.

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A value that is decoded through decoders which add the coding path to errors without one.
///
/// For a number that does not fit its type, Foundation throws an error of its own from deep within and turns it into
/// "not valid JSON", without a path, at the top only. In between it can be caught, which is all that this does. It is
/// used after a failure, not for what binds.
struct Located<Value: Decodable>: Decodable {
    let value: Value

    init(from decoder: any Decoder) throws {
        value = try Value(from: LocatingDecoder(base: decoder))
    }

    /// Foundation treats these types in a way of its own, or they decode themselves as themselves.
    fileprivate static var isLeaf: Bool {
        let leaves: [Any.Type] = [String.self, Bool.self, Date.self, Data.self, URL.self, Decimal.self]
        return Self.isNumber || leaves.contains { $0 == Value.self }
    }

    fileprivate static var isNumber: Bool {
        Value.self is any FixedWidthInteger.Type || Value.self is any BinaryFloatingPoint.Type
            || Value.self == Decimal.self
    }

    fileprivate static func run(
        _ path: [any CodingKey], plain: () throws -> Value, located: () throws -> Located<Value>
    ) throws -> Value {
        do {
            return isLeaf ? try plain() : try located().value
        } catch let error as DecodingError {
            throw error
        } catch {
            let reason = isNumber ? "the number does not fit \(Value.self)" : "is not valid JSON"
            throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: reason))
        }
    }
}

private struct LocatingDecoder: Decoder {
    let base: any Decoder
    var codingPath: [any CodingKey] { base.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { base.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(LocatingKeyedContainer(base: try base.container(keyedBy: type)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        LocatingUnkeyedContainer(base: try base.unkeyedContainer())
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        LocatingValueContainer(base: try base.singleValueContainer())
    }
}

private struct LocatingKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let base: KeyedDecodingContainer<Key>
    var codingPath: [any CodingKey] { base.codingPath }
    var allKeys: [Key] { base.allKeys }

    func contains(_ key: Key) -> Bool { base.contains(key) }
    func decodeNil(forKey key: Key) throws -> Bool { try base.decodeNil(forKey: key) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try Located<Value>.run(codingPath + [key]) {
            try base.decode(type, forKey: key)
        } located: {
            try base.decode(Located<Value>.self, forKey: key)
        }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        KeyedDecodingContainer(
            LocatingKeyedContainer<NestedKey>(base: try base.nestedContainer(keyedBy: type, forKey: key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        LocatingUnkeyedContainer(base: try base.nestedUnkeyedContainer(forKey: key))
    }

    func superDecoder() throws -> any Decoder { LocatingDecoder(base: try base.superDecoder()) }
    func superDecoder(forKey key: Key) throws -> any Decoder {
        LocatingDecoder(base: try base.superDecoder(forKey: key))
    }
}

private struct LocatingUnkeyedContainer: UnkeyedDecodingContainer {
    var base: any UnkeyedDecodingContainer
    var codingPath: [any CodingKey] { base.codingPath }
    var count: Int? { base.count }
    var isAtEnd: Bool { base.isAtEnd }
    var currentIndex: Int { base.currentIndex }

    mutating func decodeNil() throws -> Bool { try base.decodeNil() }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try Located<Value>.run(codingPath + [IndexKey(currentIndex)]) {
            try base.decode(type)
        } located: {
            try base.decode(Located<Value>.self)
        }
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(LocatingKeyedContainer(base: try base.nestedContainer(keyedBy: type)))
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        LocatingUnkeyedContainer(base: try base.nestedUnkeyedContainer())
    }

    mutating func superDecoder() throws -> any Decoder { LocatingDecoder(base: try base.superDecoder()) }
}

private struct LocatingValueContainer: SingleValueDecodingContainer {
    let base: any SingleValueDecodingContainer
    var codingPath: [any CodingKey] { base.codingPath }

    func decodeNil() -> Bool { base.decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try Located<Value>.run(codingPath) {
            try base.decode(type)
        } located: {
            try base.decode(Located<Value>.self)
        }
    }
}

/// Written as Foundation writes the index of an element.
private struct IndexKey: CodingKey {
    let index: Int
    var stringValue: String { "Index \(index)" }
    var intValue: Int? { index }

    init(_ index: Int) { self.index = index }
    init(intValue: Int) { index = intValue }
    init?(stringValue: String) { nil }
}
