// What a client writes to its log.

import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A client's log")
struct ConnectionLogTests {
    @Test("tells of each step of a connection, with whose it is")
    func steps() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let log = RecordedLog()
        let client = try WebSocketClient(server.url(), configuration: log.configuration)
        try client.exchange("hello")
        try client.close()
        let steps = [
            "connecting", "looked up", "TCP is connecting", "asking for the upgrade", "open", "frame sent",
            "frame received", "closing", "frame sent", "frame received", "closed",
        ]
        #expect(log.messages == steps)
        #expect(log.lines.allSatisfy { $0.level == .debug })
        #expect(log.lines.allSatisfy { $0.facts["ws_connection_id"] == client.connectionID })
        #expect(log.lines.allSatisfy { $0.facts["ws_connection"] == "1" })
        let facts = log.lines.reduce(into: [:]) { all, line in all.merge(line.facts) { $1 } }
        #expect(facts["ws_server"] == "ws://127.0.0.1:\(server.port)")
        #expect(facts["ws_addresses"]?.contains("127.0.0.1") == true && facts["ws_address"] == "127.0.0.1")
        #expect(facts["ws_status"] == "101" && facts["ws_compresses"] == "false")
        #expect(facts["ws_close_code"] == "1000" && facts["ws_closed_by"] == "local" && facts["ws_clean"] == "true")
    }

    @Test("tells of what TLS has negotiated")
    func secure() throws {
        let server = try SettingsFixture.echoServer(.good)
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.secureSocket = ClientSecureSocket()
        configuration.secureSocket?.enable = false
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let info = try #require(client.tlsInfo)
        #expect(
            log.messages.suffix(4) == ["TCP is connecting", "TLS handshake", "asking for the upgrade", "open"])
        #expect(log.lines.last?.facts["ws_tls"] == "\(info.version), \(info.cipherSuite)")
        #expect(log.lines.last?.facts["ws_tls_resumed"] == "\(info.isResumed)")
        try client.close()
    }

    @Test("tells of no secret and no payload, whatever happens")
    func secrets() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let secret = "hunter2hunter2"
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.auth = .credentials(username: "alice", password: secret)
        configuration.cookies = [Cookie(name: "session", value: secret)]
        try configuration.addHeader("X-Key", secret)
        for path in ["/echo?token=\(secret)", "/refuse/403?token=\(secret)"] {
            let refusal = failure {
                let client = try WebSocketClient(server.url(path), configuration: configuration)
                try client.exchange(secret)
                try client.ping(Array(secret.utf8))
                try client.close(statusCode: 4000, reason: secret)
            }
            #expect(refusal?.code == (path.hasPrefix("/echo") ? nil : .invalidHandshake))
        }
        let all = log.texts.joined(separator: "\n")
        let encoded = "YWxpY2U6aHVudGVyMmh1bnRlcjI="
        #expect(!all.contains(secret) && !all.contains(encoded) && !all.contains("alice"))
        #expect(log.messages.contains("open") && log.messages.contains("could not connect"))
        #expect(log.lines.last?.facts["ws_error_code"] == "invalidHandshake")
    }

    @Test("tells at info of a connection that is lost and made again, which has another number")
    func again() throws {
        let server = try NumberedServer { number, peer in
            if number == 1 { return try peer.refuse(503) }
            try peer.acceptUpgrade()
            if number == 0 { return peer.closeConnection() }
            peer.sendFrame(opcode: 1, Array("again".utf8))
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1))
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readTextMessage() == "again")
        let told = log.lines.filter { $0.level == .info }
        #expect(
            told.map(\.message) == ["lost", "connecting again after a wait", "connecting again after a wait"])
        #expect(told.map { $0.facts["ws_attempt"] } == [nil, "1", "2"])
        #expect(
            told.first?.facts["ws_close_code"] == "1006" && told.first?.facts["ws_error_code"] == "connectionClosure")
        let failed = log.lines.filter { $0.message == "could not connect" }
        #expect(failed.map { $0.facts["ws_connection"] } == ["2"])
        #expect(failed.first?.facts["ws_error"]?.contains("503") == true)
        let opened = log.lines.filter { $0.message == "open" }
        #expect(opened.map { $0.facts["ws_connection"] } == ["1", "3"])
        #expect(Set(log.lines.map { $0.facts["ws_connection_id"] }) == [client.connectionID])
    }

    @Test("tells of redirects, and of credentials that were refused")
    func detours() throws {
        let server = try NumberedServer { number, peer in
            if number == 2 { try peer.acceptUpgrade() } else { _ = try peer.readRequestHead() }
            if number == 0 { peer.send("HTTP/1.1 302 Found\r\nLocation: /there?secret\r\nContent-Length: 0\r\n\r\n") }
            if number == 1 { peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") }
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.followRedirects = 1
        configuration.auth = .custom(SecondGuess())
        _ = try WebSocketClient(server.url(), configuration: configuration)
        let detours = ["following a redirect", "the credentials were refused; trying others"]
        #expect(log.messages.filter { detours.contains($0) } == detours)
        #expect(log.lines.first { $0.message == detours[0] }?.facts["ws_server"] == "ws://127.0.0.1:\(server.port)")
        #expect(log.texts.allSatisfy { !$0.contains("secret") && !$0.contains("guess") })
    }

    /// Has other credentials where the first were refused.
    private struct SecondGuess: HandshakeAuthenticator {
        func headerFields(for request: AuthenticationRequest) -> HTTPFields { [.authorization: "guess"] }
        func wasRefused(_ refusal: AuthenticationRefusal) -> Bool { true }
    }

    @Test("tells of the proxy, without its credentials")
    func proxy() throws {
        let (server, tinyproxy) = (try EchoServer(), try TinyProxy(credentials: ("user", "passw0rd")))
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = log.configuration
        configuration.proxy = Proxy(host: "127.0.0.1", port: tinyproxy.port, username: "user", password: "passw0rd")
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.exchange()
        let asked = log.lines.first { $0.message == "asking the proxy" }
        #expect(asked?.facts["ws_proxy"] == "127.0.0.1:\(tinyproxy.port)")
        #expect(log.texts.allSatisfy { !$0.contains("passw0rd") })
    }

    @Test("tells when reading pauses, and when it goes on")
    func pauses() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let paused = MonotonicSemaphore()
        let log = RecordedLog { if $0.message.hasPrefix("reading pauses") { paused.signal() } }
        let client = try WebSocketClient(server.url("/push/200/65536"), configuration: log.configuration)
        #expect(paused.wait(until: Deadline(after: Timing.ages)))
        #expect(!log.messages.contains("reading goes on"))
        for _ in 0..<200 { #expect(try client.readBinaryMessage().count == 65536) }
        #expect(log.messages.contains("reading goes on"))
    }

    /// A client whose log handler looks at it with each line.
    private func watched(_ server: EchoServer) throws -> (WebSocketClient, RecordedLog) {
        let place = WeakClient()
        let log = RecordedLog { _ in
            guard let client = place.client.withLock({ $0() }) else { return }
            _ = (client.isOpen, client.httpResponse, client.closure, client.connectionID)
        }
        let client = try WebSocketClient(unconnected: server.url(), configuration: log.configuration)
        place.client.withLock { $0 = { [weak client] in client } }
        return (client, log)
    }

    private final class WeakClient: Sendable {
        let client = Locked<@Sendable () -> WebSocketClient?>({ nil })
    }

    private func expectBoth(_ log: RecordedLog) {
        #expect(log.messages.first == "connecting" && log.messages.last == "closed")
        #expect(log.messages.filter { $0 == "frame sent" }.count == 2)
    }

    @Test("may be written by a handler that looks at the client")
    func looking() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let (client, log) = try watched(server)
        try client.connect()
        try client.exchange("hello")
        try client.close()
        expectBoth(log)
    }

    @Test("tells the same of suspended callers")
    func suspended() async throws {
        let server = try EchoServer()
        defer { server.stop() }
        let (client, log) = try watched(server)
        try await client.connect()
        try await client.send("hello")
        #expect(try await client.receive() == .text("hello"))
        try await client.close()
        expectBoth(log)
    }
}
