// JSON of any shape.

import Foundation
import Testing

@testable import LWSWebSocket

@Suite("A JSON value")
struct JSONValueTests {
    private func read(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    private func written(_ value: JSONValue) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test("is read and written back the same")
    func roundTrip() throws {
        let text = #"{"a":[null,true,false,-3,2.5,"x\"é",[],{}],"b":{"c":1}}"#
        let value: JSONValue = ["a": [nil, true, false, -3, 2.5, "x\"é", [], [:]], "b": ["c": 1]]
        #expect(try read(text) == value)
        #expect(try written(value) == text)
        #expect(try read("null") == .null)
        #expect(try read("\"\"") == "")
    }

    @Test(
        "keeps integers exact",
        arguments: [
            "0", "9007199254740993", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "-18446744073709551616", "170141183460469231731687303715884105727",
        ])
    func integers(_ text: String) throws {
        let value = try read(text)
        #expect(try value == .integer(#require(Int128(text))))
        #expect(try written(value) == text)
        #expect(value.integer(as: UInt64.self) == UInt64(text))
        #expect(value.intValue == Int(text))
    }

    @Test("holds larger numbers as doubles, and none that is too large for that")
    func doubles() throws {
        #expect(try read("170141183460469231731687303715884105728") == .number(0x1p127))
        #expect(try read("1e300") == .number(1e300))
        #expect(try read("0.1").doubleValue == 0.1)
        let error = failure {
            try MessageBinding(.init(), host: "h").bind(.text("{\"a\":[1e400]}"), as: JSONValue.self)
        }
        #expect(error?.code == .payloadBinding)
    }

    @Test("keeps the sign of a zero", arguments: ["-0", "-0.0", "-0e5", "[-0.0]"])
    func negativeZero(_ text: String) throws {
        let value = try read(text)
        let number = value[0] ?? value
        #expect(number.doubleValue?.sign == .minus)
        #expect(number == 0 && number.intValue == 0)
        #expect(try written(value).contains("-0"))
        #expect(try read("0.0").doubleValue?.sign == .plus)
    }

    @Test("has one kind of number")
    func numbers() throws {
        #expect(try read("3.0") == 3)
        #expect(JSONValue.number(3) == .integer(3))
        #expect(JSONValue.number(3).hashValue == JSONValue.integer(3).hashValue)
        #expect(JSONValue.number(3.5) != .integer(3))
        #expect(JSONValue.number(.nan) != .number(.nan))
        let several: Set<JSONValue> = [1, 1.5, "1", true, nil, [1], ["1": 1]]
        #expect(several == [.number(1), 1.5, "1", true, .null, [1.0], ["1": 1.0]])
        #expect(JSONValue.integer(3).doubleValue == 3)
        #expect(JSONValue.number(3).intValue == 3)
        #expect(JSONValue.number(3.5).intValue == nil)
        #expect(JSONValue.integer(300).integer(as: UInt8.self) == nil)
    }

    @Test("is looked into by key and index")
    func access() throws {
        var value = try read(#"{"orders":[{"price":9.5,"paid":true,"id":7,"note":null}],"name":"x"}"#)
        #expect(value["orders"]?[0]?["price"]?.doubleValue == 9.5)
        #expect(value["orders"]?[0]?["paid"]?.boolValue == true)
        #expect(value["orders"]?[0]?["id"]?.intValue == 7)
        #expect(value["orders"]?[0]?["note"]?.isNull == true)
        #expect(value["name"]?.stringValue == "x")
        #expect(value["orders"]?.arrayValue?.count == 1)
        #expect(value.objectValue?.count == 2)
        #expect(value["orders"]?[1] == nil)
        #expect(value["orders"]?[-1] == nil)
        #expect(value["none"] == nil)
        #expect(value[0] == nil)
        #expect(value["name"]?["x"] == nil)
        #expect(value["name"]?.intValue == nil)
        value["name"] = nil
        value["new"] = .null
        #expect(value.objectValue?.keys.sorted() == ["new", "orders"])
    }

    @Test("cannot be written with a number that is none")
    func notANumber() {
        let error = failure { try MessageBinding(.init(), host: "h").outgoing(["a": .number(.nan)] as JSONValue) }
        #expect(error?.code == .invalidArgument)
    }
}
