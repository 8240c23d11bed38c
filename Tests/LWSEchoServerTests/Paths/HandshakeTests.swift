// Handshakes that are refused, and what a sub-protocol does.

import HTTPTypes
import LWSEchoServer
import LWSWebSocket
import TestConditions
import TestSupport
import Testing

@Suite("Handshakes", .serialized)
struct HandshakeTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test(
        "/refuse answers with its status, a header and a line", arguments: [200, 301, 401, 403, 404, 429, 500, 599])
    func refuse(status: Int) throws {
        let refusal = try server.refusal(of: "/refuse/\(status)")
        #expect(refusal.status == status)
        #expect(refusal.field("X-Refused-By") == "lws-echo-server")
        #expect(refusal.body == "refused with \(status)\n")
        #expect(refusal.field("Content-Length") == "\(refusal.body.utf8.count)")
        #expect(refusal.field("Connection") == "close")
    }

    @Test("/refuse sends no body where HTTP has none", arguments: [204, 304])
    func refuseWithoutBody(status: Int) throws {
        let refusal = try server.refusal(of: "/refuse/\(status)")
        #expect(refusal.status == status)
        #expect(refusal.body.isEmpty)
    }

    @Test("/refuse reaches the library's client with status and header")
    func refuseSeen() throws {
        let error = #expect(throws: WebSocketError.self) { try WebSocketClient(server.url("/refuse/503")) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.httpResponse?.status.code == 503)
        let name = try #require(HTTPField.Name("X-Refused-By"))
        #expect(error?.httpResponse?.headerFields[name] == "lws-echo-server")
    }

    @Test(
        "An unknown path is refused with 404",
        arguments: [
            "/nowhere", "/echo/x", "/Echo", "/echo/", "/silent/1", "/close", "/push/1", "/drop/1/2",
            "/slow-upgrade", "/refuse", "/ping", "/fragments", "/headers/x",
        ])
    func unknown(path: String) throws {
        #expect(try server.refusal(of: path).status == 404)
    }

    @Test(
        "A number that is none, or out of its range, is refused with 400",
        arguments: [
            "/close/x", "/close/-1", "/close/65536", "/close/", "/drop/x", "/drop/-1", "/drop/99999999999999999999",
            "/slow-upgrade/1.5", "/slow-upgrade/600001", "/refuse/199", "/refuse/600", "/refuse/abc", "/push/x/1",
            "/push/1/x", "/push/1/2/3", "/push/1/67108865", "/ping/x", "/ping/1000001", "/fragments/0",
            "/fragments/x",
            "/close/1000/" + String(repeating: "r", count: 124), "/ping/%31x", "/ping/+1",
        ])
    func malformed(path: String) throws {
        let refusal = try server.refusal(of: path)
        #expect(refusal.status == 400)
        #expect(!refusal.body.isEmpty)
    }

    @Test("A request that is no handshake is told what is missing")
    func noHandshake() throws {
        func answer(_ lines: String...) throws -> RawClient.Refusal {
            let client = try RawClient(port: server.port)
            client.sendRequest(lines)
            return try client.readRefusal()
        }
        let upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        func handshake(without missing: Int?, _ more: String...) throws -> RawClient.Refusal {
            let client = try RawClient(port: server.port)
            let kept = upgrade.enumerated().filter { $0.offset != missing }.map(\.element)
            client.sendRequest(["GET /echo HTTP/1.1", "Host: x"] + kept + more)
            return try client.readRefusal()
        }
        let plain = try answer("GET /echo HTTP/1.1", "Host: x")
        #expect(plain.status == 426)
        #expect(plain.field("Upgrade") == "websocket")
        #expect(try answer("GET /nowhere HTTP/1.1", "Host: x").status == 404)
        #expect(try answer("GET /refuse/418 HTTP/1.1", "Host: x").status == 418)
        #expect(try answer("POST /echo HTTP/1.1", "Host: x", "Content-Length: 0").status == 405)
        let version = try handshake(without: nil, "Sec-WebSocket-Version: 12")
        #expect(version.status == 426)
        #expect(version.field("Sec-WebSocket-Version") == "13")
        #expect(try handshake(without: 2, "Sec-WebSocket-Version: 13").status == 400)
        #expect(
            try handshake(without: 2, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: short").status == 400)
        let long = "Sec-WebSocket-Protocol: " + String(repeating: "p", count: 120)
        #expect(try handshake(without: nil, "Sec-WebSocket-Version: 13", long).status == 431)
    }

    @Test("Of several offers of compression one is agreed to, whatever is behind it", .needsCompression)
    func offers() throws {
        let full =
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover"
        func answer(_ offers: [String]) throws -> String? {
            let client = try RawClient(port: server.port)
            client.sendUpgrade("/echo", headers: ["Sec-WebSocket-Extensions: \(offers.joined(separator: ", "))"])
            return RawConnection.field("Sec-WebSocket-Extensions", in: try client.readUpgrade())
        }
        let plain = "permessage-deflate"
        #expect(try answer([plain]) == plain)
        #expect(try answer([plain, plain]) == plain)
        #expect(
            try answer([plain, "x-other", plain + "; server_no_context_takeover"]) == plain
                + "; server_no_context_takeover")
        #expect(
            try answer([plain + "; server_no_context_takeover", plain]) == plain + "; server_no_context_takeover")
        let many = try answer([full + "; server_max_window_bits=9", full, full])
        #expect(many?.contains("server_max_window_bits=9") == true)
        let tab = ["permessage-deflate\t; server_no_context_takeover", "permessage-deflate"]
        for tooMuch in [(0..<30).map { "x-other-\($0)" }, [full, full, full, full], tab] {
            let client = try RawClient(port: server.port)
            let long = tooMuch.joined(separator: ", ")
            client.sendUpgrade("/echo", headers: ["Sec-WebSocket-Extensions: \(long)"])
            #expect(try client.readRefusal().status == 431)
        }
    }

    @Test("Nonsense ends the connection, and the server lives on")
    func nonsense() throws {
        for bytes in [
            [UInt8](repeating: 0xFF, count: 100), Array("\r\n\r\n".utf8), Array("CONNECT x:1 HTTP/1.1\r\n\r\n".utf8),
        ] {
            let client = try RawClient(port: server.port)
            client.connection.send(bytes)
            client.connection.endOutput()
            #expect(!String(decoding: client.connection.readUntilEnd(), as: UTF8.self).contains(" 101 "))
        }
        let client = try server.rawClient()
        client.send(.text("still here"))
        #expect(try client.readFrame() == .text("still here"))
    }

    @Test("A sub-protocol is chosen in the client's order; only unknown ones are refused")
    func subProtocols() throws {
        let server = try EchoServer(.init(subProtocols: ["chat", "superchat"]))
        func chosen(_ offer: String?) throws -> String? {
            let client = try RawClient(port: server.port)
            client.sendUpgrade("/echo", headers: offer.map { ["Sec-WebSocket-Protocol: \($0)"] } ?? [])
            let name = RawConnection.field("Sec-WebSocket-Protocol", in: try client.readUpgrade())
            client.send(.text("hello"))
            #expect(try client.readFrame() == .text("hello"))
            return name
        }
        #expect(try chosen("chat") == "chat")
        #expect(try chosen("superchat, chat") == "superchat")
        #expect(try chosen("other, chat") == "chat")
        #expect(try chosen(nil) == nil)
        #expect(try server.refusal(of: "/echo", headers: ["Sec-WebSocket-Protocol: other"]).status == 400)
    }
}
