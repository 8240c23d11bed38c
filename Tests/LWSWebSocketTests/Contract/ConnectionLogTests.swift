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
        // Who meets the loss may be about to connect again before the one who noticed it has written its line.
        let told = log.lines.filter { $0.level == .info }
        let again = told.filter { $0.message == "connecting again after a wait" }
        #expect(told.count == 3 && again.map { $0.facts["ws_attempt"] } == ["1", "2"])
        #expect(again.map { $0.facts["ws_error_code"] } == ["connectionClosure", "invalidHandshake"])
        let lost = told.first { $0.message == "lost" }
        #expect(lost?.facts["ws_close_code"] == "1006" && lost?.facts["ws_error_code"] == "connectionClosure")
        let failed = log.lines.filter { $0.message == "could not connect" }
        #expect(failed.map { $0.facts["ws_connection"] } == ["2"])
        #expect(failed.first?.facts["ws_error"]?.contains("503") == true)
        let opened = log.lines.filter { $0.message == "open" }
        #expect(opened.map { $0.facts["ws_connection"] } == ["1", "3"])
        #expect(Set(log.lines.map { $0.facts["ws_connection_id"] }) == [client.connectionID])
    }

    @Test("tells of redirects, and of credentials that were refused")
    func detours() throws {
        let server = try NumberedServer.detouring()
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

    @Test("has no reason of a close in it, and no sub-protocol", arguments: [false, true])
    func closeReasons(_ isLost: Bool) throws {
        let server = try NumberedServer { number, peer in
            guard number == 0 else { return try peer.refuse(503) }
            try peer.acceptUpgrade(extraHeaders: ["Sec-WebSocket-Protocol: hunter2"])
            if isLost { return peer.closeConnection() }
            peer.sendFrame(opcode: 8, [0x0f, 0xa0] + Array("hunter2".utf8))
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RecordedLog()
        let waits = MonotonicSemaphore()
        var configuration = log.configuration
        configuration.subProtocols = ["hunter2"]
        configuration.retryConfig = WebSocketRetryConfig(interval: .seconds(600), maxWaitInterval: .seconds(600)) {
            _ in
            waits.signal()
        }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let reading = try Background { failure { try client.readMessage() } }
        if isLost {
            #expect(waits.wait(until: Deadline(after: Timing.ages)))
            try client.close(statusCode: 4000, reason: "hunter2")
        }
        #expect(try reading.value()?.closure?.code == 4000)
        if isLost { #expect(eventually { log.messages.contains("the lost connection is not made again") }) }
        #expect(eventually { log.lines.contains { $0.facts["ws_close_code"] == "4000" } })
        #expect(log.texts.allSatisfy { !$0.contains("hunter2") })
    }

    @Test("tells why each address could not be used")
    func addresses() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let log = RecordedLog()
        let resolver = FixedResolver(["127.0.0.2", "127.0.0.1"])
        let url = "ws://some.test:\(server.port)/echo"
        let client = try WebSocketClient(url, log.configuration, .shared, resolver)
        try client.connect()
        let next = log.lines.first { $0.message == "the address cannot be used" }
        #expect(next?.facts["ws_error_code"] == "connection" && next?.facts["ws_address"] == "127.0.0.2")
        #expect(log.lines.first { $0.message == "looked up" }?.facts["ws_name"] == "some.test")
        let tried = log.lines.filter { $0.message == "TCP is connecting" }.map { $0.facts["ws_address"] }
        #expect(tried == ["127.0.0.2", "127.0.0.1"])
        try client.close()
    }
}
