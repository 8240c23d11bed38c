// Messages that are read as values.

import Foundation
import LWSWebSocket
import TestSupport

/// JSON, right and wrong, in messages from the network.
enum Documents {
    // MARK: - JSON

    /// A value of any shape; more than JSON may be nested here, now and then.
    static func value(_ choices: inout Choices, depth: Int = 0) -> JSONValue {
        let isLeaf = depth > 6 || choices.once(in: 3)
        if depth == 0, choices.once(in: 20) {
            return (0..<choices.int(40...70)).reduce(.null) { value, number in
                number % 2 == 0 ? .array([value]) : .object(["a": value])
            }
        }
        guard isLeaf else {
            let children = (0..<choices.int(0...5)).map { _ in value(&choices, depth: depth + 1) }
            guard choices.once(in: 2) else { return .array(children) }
            let members = children.map { (choices.pick(names), $0) }
            return .object(Dictionary(members) { first, _ in first })
        }
        return leaf(&choices)
    }

    private static let names = ["name", "count", "price", "items", "note", "at", "", "é", "e\u{301}", "a.b", "0"]

    private static func leaf(_ choices: inout Choices) -> JSONValue {
        switch choices.int(0...5) {
        case 0: .null
        case 1: .bool(choices.once(in: 2))
        case 2: .integer(Int128(choices.pick([0, 1, -1, 255, Int.max, Int.min])) + Int128(choices.int(0...2)))
        case 3: .number(choices.pick([0.5, -1.25, 1e300, .leastNonzeroMagnitude]))
        case 4: .string(choices.pick(["", "2026-01-31T12:00:00Z", "true", "\u{0}", "1"]))
        default: .string(choices.text(choices.size(upTo: 300)))
        }
    }

    /// Damage to the text, or text of its own.
    private static func wrong(_ bytes: [UInt8], _ choices: inout Choices) -> [UInt8] {
        var bytes = bytes
        switch choices.int(0...7) {
        case 0:
            let opening = choices.pick(["[", "{\"a\":", "\"", "[{\"a\":[", "{\"name\":\"x\",\"items\":["])
            bytes = Array(String(repeating: opening, count: choices.int(1...9000)).utf8)
        case 1:
            bytes = Array(
                choices.pick([
                    "", " ", "nul", "+1", "01", "1.", ".5", "1e", "1e400", "-", "NaN", "\"\\ud800\"", "\"\\x\"",
                    "\"\\u12\"",
                    "{\"a\":1,\"a\":2}", "{\"é\":1,\"e\u{301}\":2}", "[1,]", "{,}", "{\"a\"}", "'a'", "/**/1",
                    "//\n1", "1 1",
                    "\u{feff}1", "99999999999999999999999999999999999999999999999", "{\"price\":1e999}",
                ]).utf8)
        case 2:
            bytes = Array(String(decoding: bytes, as: UTF8.self).utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
        case 3: bytes = choices.bytes(choices.size(upTo: 1000))
        default: choices.damage(&bytes)
        }
        return bytes
    }

    /// The bytes of a document, and what they say where that is known.
    private static func document(_ choices: inout Choices) -> (bytes: [UInt8], value: JSONValue?) {
        let value = choices.once(in: 4) ? Order.example(&choices) : value(&choices)
        guard let json = try? JSONEncoder.sorted.encode(value) else { return ([], nil) }
        let bytes = Array(json)
        // Not `nil`, which a JSONValue takes for `null`.
        return choices.once(in: 2) ? (bytes, value) : (wrong(bytes, &choices), Optional.none)
    }

    // MARK: - Messages

    /// A type that can be wrong in every way, with constraints.
    private struct Order: Codable, Validatable {
        struct Item: Codable, Validatable {
            var price: Double
            var tags: Set<String>?
            static let constraints: [Constraint<Item>] = [
                .field("price", \.price, .minimum(0), .maxFractionDigits(2))
            ]
        }

        var name: String
        var note: String?
        var count: UInt8
        var at: Date?
        var items: [Item]
        var more: [String: JSONValue]?

        static let constraints: [Constraint<Order>] = [
            .field("name", \.name, .minLength(1), .maxLength(20), .pattern("[a-z]+")),
            .field("note", \.note, .maxLength(5)),
            .field("items", \.items, .minCount(1)),
        ]

        static func example(_ choices: inout Choices) -> JSONValue {
            var order: JSONValue = [
                "name": .string(choices.pick(["abc", "", "ABC"])), "count": .integer(Int128(choices.int(0...300))),
                "items": .array((0..<choices.int(0...3)).map { ["price": .number(Double($0) - 0.125)] }),
            ]
            if choices.once(in: 3) { order["at"] = leaf(&choices) }
            if choices.once(in: 3) { order["more"] = ["x": value(&choices, depth: 2)] }
            if choices.once(in: 3) { order[choices.pick(names)] = leaf(&choices) }
            return order
        }
    }

    /// Documents as messages of either kind.
    struct Messages: Sendable {
        let play: Play
        fileprivate let documents: [(bytes: [UInt8], isText: Bool, value: JSONValue?)]

        init(_ choices: inout Choices) {
            documents = (0..<choices.int(1...5)).map { _ in
                let (bytes, value) = document(&choices)
                let isText = choices.once(in: 2) && String(validating: bytes, as: UTF8.self) != nil
                return (bytes, isText, value)
            }
            var play = Play.opening(
                documents.flatMap { RawFrame(opcode: $0.isText ? 1 : 2, payload: $0.bytes).serverBytes })
            play.chunks = .choose(&choices)
            self.play = play
        }

        /// Reads them all, as values of types that fit or do not.
        /// - Returns: what is wrong; `nil` where nothing is.
        func read(from client: WebSocketClient, _ choices: inout Choices) -> String? {
            for (bytes, _, value) in documents {
                let type = choices.int(0...9)
                do throws(WebSocketError) {
                    switch type {
                    case 0: _ = try client.readMessage(as: Order.self)
                    case 1: _ = try client.readMessage(as: [Order?].self)
                    case 2: _ = try client.readMessage(as: [String: [Int]].self)
                    case 3: _ = try client.readMessage(as: Int8.self)
                    case 4: _ = try client.readMessage(as: Date?.self)
                    case 5: _ = try client.readMessage(as: String.self)
                    case 6:
                        guard try client.readMessage(as: [UInt8].self) == bytes else { return "the bytes are others" }
                    default:
                        let read = try client.readMessage(as: JSONValue.self)
                        guard value == nil || read == value else { return "\(read) was read, not \(value as Any)" }
                    }
                } catch {
                    guard [.payloadBinding, .payloadValidation].contains(error.code) else {
                        return "\(error.code) is not expected of JSON: \(error)"
                    }
                    guard error.rejectedMessage?.payload == bytes else {
                        return "the rejected message is another"
                    }
                    if type > 6, let value, depth(value) <= 64 { return "JSON was refused: \(error)" }
                }
            }
            do throws(WebSocketError) {
                _ = try client.readMessage()
                return "a message came that nobody sent"
            } catch {
                return error.code == .connectionClosure ? nil : "\(error.code) is not expected at the end: \(error)"
            }
        }

        private func depth(_ value: JSONValue) -> Int {
            switch value {
            case .array(let elements): 1 + (elements.map(depth).max() ?? 0)
            case .object(let members): 1 + (members.values.map(depth).max() ?? 0)
            default: 0
            }
        }
    }
}

extension JSONEncoder {
    /// Always the same text of a value, so that a case is the same when it is run again.
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}
