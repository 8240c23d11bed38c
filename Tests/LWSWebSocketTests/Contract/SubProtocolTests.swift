// The contract's subProtocols.

import HTTPTypes
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Sub-protocols", .serialized)
struct SubProtocolTests {
    private func configuration(_ names: [String]) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.subProtocols = names
        return configuration
    }

    /// Connects to a server that answers with these lines.
    private func connect(_ names: [String], answer: [String]) throws -> (
        Result<WebSocketClient, WebSocketError>, String, RawServer
    ) {
        let seen = Seen()
        let server = try RawServer { peer in
            let head = (try? peer.acceptUpgrade(extraHeaders: answer)) ?? ""
            seen.add(RawFrame(opcode: 1, payload: Array(head.utf8)))
            seen.done()
            peer.waitForEnd()
        }
        let result = Result { () throws(WebSocketError) in
            try WebSocketClient(server.url(), configuration: configuration(names))
        }
        return (result, try seen.all().first?.text ?? "", server)
    }

    @Test("are none by default: nothing is offered, nothing is negotiated")
    func none() throws {
        let (result, head, server) = try connect([], answer: [])
        defer { server.stop() }
        #expect(try result.get().negotiatedSubProtocol == nil)
        #expect(!head.lowercased().contains("sec-websocket-protocol"))
    }

    @Test("are offered in order, and the server's choice can be read", arguments: ["chat.v2", "chat.v1", "other"])
    func chosen(_ choice: String) throws {
        let (result, head, server) = try connect(
            ["chat.v2", "chat.v1", "other"], answer: ["Sec-WebSocket-Protocol: \(choice)"])
        defer { server.stop() }
        let client = try result.get()
        #expect(client.negotiatedSubProtocol == choice)
        #expect(client.isOpen)
        #expect(head.contains("\r\nSec-WebSocket-Protocol: chat.v2, chat.v1, other\r\n"))
    }

    @Test(
        "that the server does not choose from are invalidHandshake",
        arguments: [
            [], ["Sec-WebSocket-Protocol: elsewhere"], ["Sec-WebSocket-Protocol: chat"],
            ["Sec-WebSocket-Protocol: CHAT.V1"], ["Sec-WebSocket-Protocol: chat.v1, chat.v2"],
            ["Sec-WebSocket-Protocol: "],
        ])
    func notChosen(_ answer: [String]) throws {
        let (result, _, server) = try connect(["chat.v1", "chat.v2"], answer: answer)
        defer { server.stop() }
        guard case .failure(let error) = result else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .invalidHandshake)
        #expect(error.httpResponse?.status.code == 101)
        #expect(error.description.contains("sub-protocol"))
    }

    @Test("work with the bundled server, which takes the first it knows")
    func bundledServer() throws {
        var settings = EchoServer.Configuration()
        settings.subProtocols = ["b", "c"]
        let server = try EchoServer(settings)
        let client = try WebSocketClient(server.url(), configuration: configuration(["a", "b", "c"]))
        #expect(client.negotiatedSubProtocol == "b")
        try client.writeTextMessage("over b")
        #expect(try client.readTextMessage() == "over b")
    }

    @Test(
        "that are no tokens, or come twice, are refused before anything is sent",
        arguments: [[""], ["a b"], ["a,b"], ["ü"], ["a\r\nX: 1"], ["a", "b", "a"]])
    func refused(_ names: [String]) {
        let error = failure { try WebSocketClient(unconnected: "ws://h/", configuration: configuration(names)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("subProtocols") == true)
    }
}
