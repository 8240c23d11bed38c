// The contract's writeMessage, readMessage(as:) and validation, over a connection.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Messages of the application's types", .serialized)
struct BindingTests {
    private func send<Value: Encodable>(_ value: Value, _ client: WebSocketClient) throws {
        try client.writeMessage(value)
    }

    @Test("go out as text, binary or JSON, depending on the type at run time")
    func kinds() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        try client.writeMessage("3")
        try client.writeMessage([3] as [UInt8])
        try client.writeMessage(Data([3]))
        try client.writeMessage(BoundItem(price: 3, name: "x"))
        try client.writeMessage(.text("t"))
        try client.writeMessage(.binary([9]))
        try send("3", client)
        try send([3] as [UInt8], client)
        try send(Data([3]), client)
        try send([3], client)
        #expect(try client.readMessage() == .text("3"))
        #expect(try client.readMessage() == .binary([3]))
        #expect(try client.readMessage() == .binary([3]))
        #expect(try client.readMessage(as: BoundItem.self) == BoundItem(price: 3, name: "x"))
        #expect(try client.readMessage() == .text("t"))
        #expect(try client.readMessage() == .binary([9]))
        #expect(try client.readMessage() == .text("3"))
        #expect(try client.readMessage() == .binary([3]))
        #expect(try client.readMessage() == .binary([3]))
        #expect(try client.readMessage() == .text("[3]"))
    }

    @Test("come in as the type asked for, from either kind of message")
    func reading() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        for kind in [true, false] {
            func write(_ text: String) throws {
                if kind { try client.writeTextMessage(text) } else { try client.writeBinaryMessage(Array(text.utf8)) }
            }
            for text in ["é", "é", "é", "42", "null", #"{"a":[18446744073709551615]}"#] { try write(text) }
            #expect(try client.readMessage(as: String.self) == "é")
            #expect(try client.readMessage(as: [UInt8].self) == [0xc3, 0xa9])
            #expect(try client.readMessage(as: Data.self) == Data([0xc3, 0xa9]))
            #expect(try client.readMessage(as: Int.self) == 42)
            #expect(try client.readMessage(as: Int?.self) == nil)
            let value = try client.readMessage(as: JSONValue.self)
            #expect(value["a"]?[0]?.integer(as: UInt64.self) == .max)
        }
    }

    @Test("that do not bind are on the error, and the next call gets the next message")
    func unbound() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        try client.writeTextMessage(#"{"price":"x","name":"y"}"#)
        try client.writeTextMessage(String(repeating: "[", count: 513))
        try client.writeTextMessage("next")
        let error = failure { try client.readMessage(as: BoundItem.self) }
        #expect(error?.code == .payloadBinding)
        #expect(error?.rejectedMessage == .text(#"{"price":"x","name":"y"}"#))
        #expect(error?.description.contains("127.0.0.1") == true)
        #expect(error?.description.contains("price: expected a number, found a string") == true)
        #expect(failure { try client.readMessage(as: JSONValue.self) }?.code == .payloadBinding)
        #expect(try client.readMessage(as: String.self) == "next")
        #expect(client.isOpen)
    }

    @Test("that JSON cannot hold are refused before anything is sent")
    func unencodable() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        #expect(failure { try client.writeMessage(Double.infinity) }?.code == .invalidArgument)
        try client.writeMessage(1.5)
        #expect(try client.readMessage() == .text("1.5"))
    }

    @Test("are validated where that is on, and only there", arguments: [true, false])
    func validation(_ isOn: Bool) throws {
        let server = try EchoServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        #expect(configuration.validation)
        configuration.validation = isOn
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.writeMessage(CheckedOrder(name: "ABC", items: [CheckedItem(price: 1), CheckedItem(price: -1)]))
        if isOn {
            let error = failure { try client.readMessage(as: CheckedOrder.self) }
            #expect(error?.code == .payloadValidation)
            #expect(error?.violations.map(\.path) == ["name", "items[1].price"])
            #expect(
                error?.description.contains("name must match [a-z]+; items[1].price must be at least 0.0") == true)
        } else {
            #expect(try client.readMessage(as: CheckedOrder.self).name == "ABC")
        }
        try client.writeMessage([CheckedOrder()])
        #expect(try client.readMessage(as: [CheckedOrder].self).first?.name == "abc")
    }

    @Test("keep to the timeouts, and end with the connection")
    func ends() throws {
        let server = try EchoServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.readTimeout = .milliseconds(50)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(failure { try client.readMessage(as: Int.self) }?.code == .readTimedOut)
        try client.close()
        #expect(failure { try client.readMessage(as: Int.self) }?.code == .connectionClosure)
        #expect(failure { try client.writeMessage(1) }?.code == .connectionClosure)
    }
}
