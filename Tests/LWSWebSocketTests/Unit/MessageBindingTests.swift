// Values from messages and messages from values, without a connection.

import Foundation
import Testing

@testable import LWSWebSocket

struct BoundItem: Codable, Equatable {
    var price: Double
    var name: String
}

struct BoundOrders: Codable, Equatable {
    var orders: [BoundItem]
    var counts: [String: UInt8]?
}

@Suite("Binding")
struct MessageBindingTests {
    let binding = MessageBinding(ClientConfiguration(), host: "shop.example")

    private func generic<Value: Encodable>(_ value: Value) throws -> MessageBinding.Outgoing {
        try binding.outgoing(value)
    }

    private func bound<Value: Decodable>(_ message: WebSocketMessage) throws -> Value {
        try binding.bind(message, as: Value.self)
    }

    private func reason<Value: Decodable>(_ text: String, _ type: Value.Type) -> String? {
        let error = failure { try binding.bind(.text(text), as: type) }
        #expect(error?.code == .payloadBinding)
        #expect(error?.host == "shop.example")
        #expect(error?.rejectedMessage == .text(text))
        return error?.description.replacing("The message from shop.example does not bind to \(type): ", with: "")
    }

    @Test("writes strings as text, bytes as they are, all else as JSON, also in generic code")
    func outgoing() throws {
        #expect(try binding.outgoing("a\"b") == .text("a\"b"))
        #expect(try generic("a\"b") == .text("a\"b"))
        #expect(try binding.outgoing([1, 2] as [UInt8]) == .bytes([1, 2]))
        #expect(try generic([1, 2] as [UInt8]) == .bytes([1, 2]))
        #expect(try binding.outgoing(Data([1, 2])) == .data(Data([1, 2])))
        #expect(try generic(Data([1, 2])) == .data(Data([1, 2])))
        let erased: [any Encodable] = ["x", [7] as [UInt8], Data([8]), 9]
        let expected: [MessageBinding.Outgoing] = [.text("x"), .bytes([7]), .data(Data([8])), .json(Data("9".utf8))]
        #expect(try erased.map { try binding.outgoing($0) } == expected)
        #expect(try generic([1, 2]) == .json(Data("[1,2]".utf8)))
        #expect(try generic(Optional("x")) == .json(Data("\"x\"".utf8)))
        #expect(try generic(String?.none) == .json(Data("null".utf8)))
        #expect(try generic(["a": true]) == .json(Data("{\"a\":true}".utf8)))
    }

    @Test("refuses a value that JSON cannot hold")
    func unencodable() {
        let error = failure { try binding.outgoing(["x": [1, Double.infinity]]) }
        #expect(error?.code == .invalidArgument)
        #if compiler(>=6.3)
            let place = "x[1]: "
        #else
            let place = "x: "  // Foundation did not say which element.
        #endif
        #expect(error?.description.contains(place) == true)
        #expect(error?.description.contains("shop.example") == true)
    }

    @Test("gives strings and bytes as they are, of either kind")
    func raw() throws {
        #expect(try bound(.text("{\"grüße\"")) == "{\"grüße\"")
        #expect(try bound(.binary(Array("é".utf8))) == "é")
        #expect(try bound(.text("é")) == [0xc3, 0xa9] as [UInt8])
        #expect(try bound(.binary([0, 255])) == [0, 255] as [UInt8])
        #expect(try bound(.text("é")) == Data([0xc3, 0xa9]))
        #expect(try bound(.binary([])) == Data())
        let error = failure { try binding.bind(.binary([0x61, 0xff]), as: String.self) }
        #expect(error?.code == .payloadBinding)
        #expect(error?.rejectedMessage == .binary([0x61, 0xff]))
    }

    @Test("reads JSON of either kind, single values too")
    func json() throws {
        let orders = BoundOrders(orders: [BoundItem(price: 1.5, name: "x")], counts: ["a": 255])
        let text = #"{"orders":[{"price":1.5,"name":"x","more":null}],"counts":{"a":255}}"#
        #expect(try bound(.text(text)) == orders)
        #expect(try bound(.binary(Array(text.utf8))) == orders)
        #expect(try binding.bind(.text("3"), as: Int.self) == 3)
        #expect(try binding.bind(.text(" 2.5\n"), as: Double.self) == 2.5)
        #expect(try binding.bind(.text("true"), as: Bool.self))
        #expect(try binding.bind(.text("null"), as: Int?.self) == nil)
        #expect(try binding.bind(.text("7"), as: Int?.self) == 7)
        #expect(try binding.bind(.text("\"x\""), as: String?.self) == "x")
        #expect(try binding.bind(.text("[1,2]"), as: [Int].self) == [1, 2])
    }

    @Test(
        "says where and what in words",
        arguments: [
            (
                #"{"orders":[{"price":1,"name":""},{"price":1,"name":""},{"price":"9","name":""}]}"#,
                "orders[2].price: expected a number, found a string"
            ),
            (#"{"orders":[{"price":1,"name":true}]}"#, "orders[0].name: expected a string, found true or false"),
            (#"{"orders":[{"price":null,"name":""}]}"#, "orders[0].price: expected a number, found null"),
            (#"{"orders":[{"price":1}]}"#, "orders[0].name: is missing"),
            (#"{"orders":{}}"#, "orders: expected an array, found an object"),
            (#"{"orders":[[]]}"#, "orders[0]: expected an object, found an array"),
            (#"{"orders":[],"counts":{"a b":"1"}}"#, #"counts["a b"]: expected an integer, found a string"#),
            (#"{"orders":null}"#, "orders: expected an array, found null"),
            ("[]", "expected an object, found an array"),
            ("7", "expected an object, found a number"),
        ])
    func words(_ text: String, _ words: String) {
        #expect(reason(text, BoundOrders.self) == words)
    }

    @Test(
        "refuses what is no JSON", arguments: ["", " ", "{", "nonsense", "[,]", "[1] 2", "{\"a\"", "\"\\u12", "tru"])
    func notJSON(_ text: String) {
        #expect(reason(text, JSONValue.self)?.contains("not valid JSON") == true)
    }

    @Test(
        "never loses one of two members whose names only Unicode takes for one",
        arguments: [
            ("{\"\u{e9}\": 1, \"e\u{301}\": 2}", "two names are equal after Unicode normalisation: e\u{301}"),
            (
                #"{"a": [{}, {"\u00e9": 1, "e\u0301": 2}]}"#,
                "a[1]: two names are equal after Unicode normalisation: e\u{301}"
            ),
        ])
    func ambiguousNames(_ text: String, _ words: String) throws {
        #expect(reason(text, JSONValue.self) == words)
        // Of the same name one is kept, and equal names of different objects are no matter.
        #expect(try binding.bind(.text("{\"é\": 1, \"é\": 1}"), as: JSONValue.self) == ["é": 1])
        let apart = try binding.bind(.text("[{\"\u{e9}\": 1}, {\"e\u{301}\": 2}]"), as: JSONValue.self)
        #expect(apart == [["é": 1], ["é": 2]])
        // Other types do not have the members, and none is lost.
        #expect(
            try binding.bind(.text(#"{"orders":[],"counts":{},"é":1,"e\u0301":2}"#), as: BoundOrders.self).orders
                .isEmpty)
    }

    @Test(
        "says where a number does not fit",
        arguments: [
            (#"{"orders":[],"counts":{"a":1,"b":300}}"#, "counts.b: the number does not fit UInt8"),
            (#"{"orders":[],"counts":{"a":-1}}"#, "counts.a: the number does not fit UInt8"),
            (#"{"orders":[],"counts":{"a":1.5}}"#, "counts.a: the number does not fit UInt8"),
            (
                #"{"orders":[{"price":1,"name":"x"},{"price":1e400,"name":"x"}]}"#,
                "orders[1].price: the number does not fit Double"
            ),
            (#"{"orders":[{"price":1,"name":"\ud800"}]}"#, "orders[0].name: is not valid JSON"),
        ])
    func misfit(_ text: String, _ words: String) {
        #expect(reason(text, BoundOrders.self) == words)
    }

    @Test("says where a number does not fit in types that decode themselves in other ways")
    func misfitElsewhere() {
        enum Level: UInt8, Decodable { case low = 1 }
        struct Box: Decodable {
            var level: Level?
            var value: [[Int8?]]
            var dates: [Date]
            var inner: [Box]?
        }
        #expect(reason("300", UInt8.self) == "the number does not fit UInt8")
        #expect(reason("300", UInt8?.self) == "the number does not fit UInt8")
        #expect(reason("[1,300]", [UInt8?].self) == "[1]: the number does not fit UInt8")
        #expect(reason(#"{"level":300,"value":[],"dates":[]}"#, Box.self) == "level: the number does not fit UInt8")
        #expect(
            reason(#"{"value":[[1],[null,200]],"dates":[0]}"#, Box.self)
                == "value[1][1]: the number does not fit Int8")
        #expect(
            reason(#"{"inner":[{"value":[[128]],"dates":[]}],"value":[],"dates":[]}"#, Box.self)
                == "inner[0].value[0][0]: the number does not fit Int8")
        #expect(
            reason(#"{"a":[1,1e400]}"#, JSONValue.self)
                == "a[1]: a number is too large for a Double, or a string has a bad escape")
    }

    @Test(
        "refuses JSON that is not UTF-8",
        arguments: [[0x22, 0xff, 0x22], [0x33, 0], [0xff, 0xfe, 0x33, 0]] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) {
        let error = failure { try binding.bind(.binary(bytes), as: JSONValue.self) }
        #expect(error?.code == .payloadBinding)
        #expect(error?.description.contains("UTF-8") == true)
    }

    @Test("never quotes a payload at length")
    func brief() {
        enum Colour: String, Decodable { case red }
        let long = String(repeating: "x", count: 10_000)
        #expect((reason("\"\(long)\"", Colour.self)?.count ?? 1000) < 200)
        #expect((reason("{\"\(long)\":\"\"}", [String: Int].self)?.count ?? 1000) < 200)
        let path = reason("{\"a\\nb\":\"\"}", [String: Int].self)
        #expect(path == #"["a\nb"]: expected an integer, found a string"#)
    }

    @Test("uses the decoder and the encoder of the configuration")
    func strategies() throws {
        struct Event: Codable, Equatable { var startTime: Date }
        let configuration = ClientConfiguration()
        configuration.jsonDecoder.dateDecodingStrategy = .iso8601
        configuration.jsonDecoder.keyDecodingStrategy = .convertFromSnakeCase
        configuration.jsonEncoder.dateEncodingStrategy = .iso8601
        configuration.jsonEncoder.keyEncodingStrategy = .convertToSnakeCase
        let binding = MessageBinding(configuration, host: "h")
        let json = #"{"start_time":"1970-01-01T00:00:00Z"}"#
        let event = Event(startTime: Date(timeIntervalSince1970: 0))
        #expect(try binding.bind(.text(json), as: Event.self) == event)
        #expect(try binding.outgoing(event) == .json(Data(json.utf8)))
        #expect(try binding.bind(.text(json), as: JSONValue.self) == ["start_time": "1970-01-01T00:00:00Z"])
        #expect(failure { try self.binding.bind(.text(json), as: Event.self) }?.code == .payloadBinding)
    }
}
