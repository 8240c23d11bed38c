// The contract's status and attributes.

import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Status and attributes")
struct StatusTests {
    @Test("every client has an ID of its own")
    func identifiers() throws {
        let identifiers = try (0..<100).map { _ in try WebSocketClient(unconnected: "ws://h/").connectionID }
        #expect(Set(identifiers).count == 100)
        #expect(identifiers.allSatisfy { !$0.isEmpty })
    }

    @Test("attributes are kept, replaced and removed")
    func attributes() throws {
        let client = try WebSocketClient(unconnected: "ws://h/")
        #expect(client.getAttribute("a") == nil)
        client.setAttribute("a", "text")
        client.setAttribute("b", 5)
        #expect(client.getAttribute("a") == .string("text"))
        #expect(client.getAttribute("b") == .int(5))
        client.setAttribute("a", 6)
        #expect(client.removeAttribute("a") == .int(6))
        #expect(client.removeAttribute("a") == nil)
    }

    @Test("attributes can be used from many threads")
    func threads() throws {
        let client = try WebSocketClient(unconnected: "ws://h/")
        let workers = try (0..<8).map { worker in
            try Background { for index in 0..<1000 { client.setAttribute("\(worker).\(index)", .int(index)) } }
        }
        for worker in workers { try worker.value() }
        #expect((0..<8).allSatisfy { client.getAttribute("\($0).999") == .int(999) })
    }
}
