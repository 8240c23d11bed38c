// Servers that answer the handshake wrongly, or not at all.

import HTTPTypes
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A faulty handshake", .serialized)
struct HandshakeFaultTests {
    /// Connects to a server that reads the request and then does what the script says.
    private func error(
        _ configuration: ClientConfiguration = ClientConfiguration(),
        _ script: @escaping @Sendable (RawConnection, String) -> Void
    ) throws -> WebSocketError? {
        let server = try RawServer { peer in
            guard let head = try? peer.readRequestHead() else { return }
            script(peer, head)
        }
        let healthy = try FrameCatcher()
        let before = try WebSocketClient(healthy.server.url())
        let error = failure { try WebSocketClient(server.url("/x"), configuration: configuration) }
        // The loop serves others, those from before and new ones.
        try before.writeTextMessage("still here")
        #expect(try WebSocketClient(healthy.server.url()).isOpen)
        return error
    }

    private static func upgrade(_ head: String, _ lines: [String], accept: String? = nil) -> String {
        let key = RawConnection.field("Sec-WebSocket-Key", in: head) ?? ""
        let all =
            ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
            + ["Sec-WebSocket-Accept: \(accept ?? RawConnection.accept(for: key))"] + lines
        return all.joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test(
        "with another status is invalidHandshake and carries the answer",
        arguments: [200, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 426, 500, 503])
    func status(_ status: Int) throws {
        let elsewhere = try RawServer { peer in _ = try? peer.acceptUpgrade() }
        let error = try error { peer, _ in
            peer.send(
                "HTTP/1.1 \(status) Something\r\nLocation: \(elsewhere.url())\r\nX-Why: testing\r\n"
                    + "Content-Length: 4\r\n\r\nbody")
            peer.waitForEnd()
        }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.httpResponse?.status.code == status)
        let why = try #require(HTTPField.Name("X-Why"))
        #expect(error?.httpResponse?.headerFields[why] == "testing")
        #expect(error?.description.contains("\(status)") == true)
        #expect(error?.isRetriable == (status >= 500))
    }

    @Test("that redirects takes the credentials nowhere")
    func redirect() throws {
        let heads = Seen()
        let elsewhere = try RawServer { peer in
            heads.add(RawFrame(opcode: 1, payload: Array(((try? peer.readRequestHead()) ?? "").utf8)))
        }
        var configuration = ClientConfiguration()
        try configuration.addHeader("Authorization", "Bearer secret")
        let error = try error(configuration) { peer, _ in
            peer.redirect(to: elsewhere.url())
            peer.waitForEnd()
        }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.description.contains("redirect") == true)
        elsewhere.stop()
        heads.done()
        #expect(try heads.all().isEmpty)
    }

    @Test("with a wrong or no Sec-WebSocket-Accept is invalidHandshake")
    func accept() throws {
        let wrong = try error { peer, head in
            peer.send(Self.upgrade(head, [], accept: "AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
            peer.waitForEnd()
        }
        #expect(wrong?.code == .invalidHandshake)
        #expect(wrong?.description.contains("Sec-WebSocket-Accept") == true)
        let missing = try error { peer, _ in
            peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            peer.waitForEnd()
        }
        #expect(missing?.code == .invalidHandshake)
    }

    @Test("with a wrong Upgrade or Connection is invalidHandshake")
    func fields() throws {
        for (upgrade, connection) in [("h2c", "Upgrade"), ("websocket", "close")] {
            let error = try error { peer, head in
                let accept = RawConnection.accept(for: RawConnection.field("Sec-WebSocket-Key", in: head) ?? "")
                peer.send(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: \(upgrade)\r\nConnection: \(connection)\r\n"
                        + "Sec-WebSocket-Accept: \(accept)\r\n\r\n")
                peer.waitForEnd()
            }
            #expect(error?.code == .invalidHandshake)
        }
    }

    @Test("that names what was not offered is invalidHandshake", arguments: [1, 2, 200])
    func notOffered(_ times: Int) throws {
        let list = Array(repeating: "x-unknown", count: times).joined(separator: ", ")
        let extended = try error { peer, head in
            peer.send(Self.upgrade(head, ["Sec-WebSocket-Extensions: \(list)"]))
            peer.waitForEnd()
        }
        #expect(extended?.code == .invalidHandshake)
        let named = try error { peer, head in
            peer.send(Self.upgrade(head, ["Sec-WebSocket-Protocol: chat"]))
            peer.waitForEnd()
        }
        #expect(named?.code == .invalidHandshake)
    }

    @Test(
        "that is no HTTP is a typed error, in time",
        arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
            "HTTP/9.9 101 x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", ": : :\r\n\r\n", "HTTP/1.1 101",
            "HTTP/1.1 99999999999999999999 x\r\n\r\n", "HTTP/1.1 -5 x\r\n\r\n",
        ])
    func garbage(_ answer: String) throws {
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(500)
        for endsTCP in [true, false] {
            let error = try error(configuration) { peer, _ in
                peer.send(answer)
                if !endsTCP { peer.waitForEnd() }
            }
            let code = try #require(error?.code)
            #expect([.invalidHandshake, .connection, .handshakeTimedOut].contains(code), "\(code)")
        }
    }

    @Test("with random bytes is a typed error, in time")
    func random() throws {
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(300)
        for seed in 0..<20 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let error = try error(configuration) { peer, _ in
                peer.send(bytes)
            }
            let code = try #require(error?.code)
            #expect([.invalidHandshake, .connection, .handshakeTimedOut].contains(code), "\(code)")
        }
    }

    @Test("with 100 KB of header is invalidHandshake")
    func hugeHeader() throws {
        for line in [
            "X-Big: \(String(repeating: "x", count: 100_000))", "Server: \(String(repeating: "x", count: 100_000))",
        ] {
            let error = try error { peer, head in
                peer.send(Self.upgrade(head, [line]))
                peer.waitForEnd()
            }
            #expect(error?.code == .invalidHandshake, "\(error?.description ?? "none")")
        }
        let many = try error { peer, head in
            peer.send(Self.upgrade(head, (0..<5000).map { "X-\($0): 12345678901234" }))
            peer.waitForEnd()
        }
        #expect(many?.code == .invalidHandshake)
    }

    @Test("with 20 KB of header is fine, and with a hundred fields too")
    func largeHeader() throws {
        let server = try RawServer { peer in
            let fields = (0..<100).map { "X-Field-\($0): \(String(repeating: "v", count: 200))" }
            _ = try? peer.acceptUpgrade(extraHeaders: fields)
            peer.waitForEnd()
        }
        let client = try WebSocketClient(server.url())
        #expect(client.isOpen)
        let last = try #require(HTTPField.Name("X-Field-99"))
        #expect(client.httpResponse?.headerFields[last]?.count == 200)
    }

    @Test("that ends early is a connection error, as retriable")
    func endsEarly() throws {
        let atOnce = try error { peer, _ in peer.closeConnection() }
        #expect(atOnce?.code == .connection)
        #expect(atOnce?.isRetriable == true)
        let reset = try error { peer, _ in peer.reset() }
        #expect(reset?.code == .connection)
        let halfway = try error { peer, head in
            peer.send(String(Self.upgrade(head, []).dropLast(10)))
            peer.closeConnection()
        }
        #expect(halfway?.code == .connection)
    }

    @Test("that arrives byte by byte is fine, and so is one with the first message right behind it")
    func pieces() throws {
        let slow = try RawServer { peer in
            guard let head = try? peer.readRequestHead() else { return }
            for byte in Self.upgrade(head, ["X-Test: b"]).utf8 { peer.send([byte]) }
            peer.waitForEnd()
        }
        #expect(try WebSocketClient(slow.url()).isOpen)
        let quick = try RawServer { peer in
            guard let head = try? peer.readRequestHead() else { return }
            let frame = RawFrame(opcode: 1, payload: Array("at once".utf8)).serverBytes
            peer.send(Array(Self.upgrade(head, []).utf8) + frame)
            peer.waitForEnd()
        }
        #expect(try WebSocketClient(quick.url()).readTextMessage() == "at once")
    }

    @Test("is a connection error where the port is closed")
    func closedPort() throws {
        let port = try FreePort.find()
        let time = Timing.of {
            let error = failure { try WebSocketClient("ws://127.0.0.1:\(port)/") }
            #expect(error?.code == .connection)
            #expect(error?.description.contains("127.0.0.1") == true)
        }
        #expect(time < Timing.atOnce, "\(time)")
    }

    @Test("is a connection error where there is no route, which lws reports by no callback")
    func noRoute() throws {
        // The broadcast address: connect(2) refuses it on the spot.
        let error = failure { try WebSocketClient("ws://255.255.255.255:9/") }
        #expect(error?.code == .connection)
        #expect(error?.description.contains("255.255.255.255") == true)
    }
}
