// Servers that do not do their part of the TLS handshake.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A faulty TLS handshake", .serialized)
struct SecureHandshakeFaultTests {
    /// What connecting to a server fails with, while the loop goes on serving another client.
    private func error(
        _ url: String, _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws -> WebSocketError {
        let healthy = try FrameCatcher()
        let other = try WebSocketClient(healthy.server.url())
        let configuration = try SecureFaults.configuration {
            $0.handShakeTimeout = Timing.ages
            change(&$0)
        }
        let error = failure { try WebSocketClient(url, configuration: configuration) }
        try other.writeTextMessage("still here")
        #expect(try healthy.next(1).count == 1)
        #expect(error?.host == "127.0.0.1")
        #expect(error?.description.contains("127.0.0.1") == true)
        return try #require(error)
    }

    /// A server that reads the ClientHello, sends these bytes, and ends TCP where it is told to.
    private func answering(_ bytes: [UInt8], ends: Bool = true) throws -> RawServer {
        try RawServer { peer in
            guard (try? RawServer.readRecord(peer)) != nil else { return }
            peer.send(bytes)
            if ends { peer.endOutput() }
            peer.waitForEnd()
        }
    }

    @Test("with plain HTTP on the port says that nobody there speaks TLS")
    func plainHTTP() throws {
        let server = try RawServer.answeringPlainHTTP()
        defer { server.stop() }
        let time = try Timing.of {
            let error = try error(server.secureURL())
            #expect(error.code == .ssl)
            #expect(error.description.contains("does not speak TLS on port \(server.port)"))
            #expect(error.description.contains("ws: URLs"))
            #expect(!error.isRetriable)
        }
        #expect(time < Timing.atOnce, "\(time)")
    }

    @Test("with a WebSocket server without TLS is a typed error, in time")
    func plainWebSocket() throws {
        let echo = try EchoServer()
        defer { echo.stop() }
        let refused = try error("wss://127.0.0.1:\(echo.port)/echo")
        #expect(refused.code == .ssl, "\(refused)")
        let accepting = try answering(
            Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".utf8))
        defer { accepting.stop() }
        let error = try error(accepting.secureURL())
        #expect(error.code == .ssl)
        #expect(error.description.contains("does not speak TLS"))
    }

    @Test("that TCP ends is ssl, says so, and is retriable", arguments: [false, true])
    func ends(_ resets: Bool) throws {
        let server = try RawServer.endingInHandshake(reset: resets)
        defer { server.stop() }
        for _ in 0..<5 {
            let error = try error(server.secureURL())
            #expect(error.code == .ssl)
            #expect(error.description.contains("ended the connection during the TLS handshake"), "\(error)")
            #expect(error.isRetriable)
        }
    }

    @Test("that TCP ends before the ClientHello is read is a typed error too, as retriable")
    func endsAtOnce() throws {
        for resets in [false, true] {
            let server = try RawServer { resets ? $0.reset() : $0.closeConnection() }
            defer { server.stop() }
            for _ in 0..<5 {
                let error = try error(server.secureURL())
                #expect(error.code == .ssl || error.code == .connection, "\(error)")
                #expect(error.isRetriable)
            }
        }
    }

    @Test("that TCP ends after the server's first answer is ssl and retriable", arguments: [1, 2, 3])
    func endsLater(_ records: Int) throws {
        let server = try SecureFaults.echoServer([.tls12])
        defer { server.stop() }
        let relay = try SecureRelay(to: server.port) { _, path in
            let upstream = try Background { path.passUpstream() }
            path.passDownstream(records)
            path.client.closeConnection()
            try upstream.value()
        }
        defer { relay.stop() }
        let error = try error(relay.url())
        #expect(error.code == .ssl)
        #expect(error.description.contains("ended the connection during the TLS handshake"), "\(error)")
        #expect(error.isRetriable)
    }

    @Test(
        "that ends with an alert is ssl, in words for those that mean something",
        arguments: [
            (40, "There is no shared cipher with 127.0.0.1"), (42, "does not accept any certificate"),
            (45, "does not accept any certificate"), (48, "does not accept any certificate"),
            (70, "There is no shared protocol with 127.0.0.1"), (71, "There is no shared cipher with 127.0.0.1"),
            (80, "ended TLS with an alert: internal error"), (112, "has no site with the name 127.0.0.1"),
            (120, "does not take http/1.1 over TLS"), (200, "ended TLS with an alert: unknown (200)"),
            (255, "ended TLS with an alert: unknown (255)"),
        ] as [(UInt8, String)])
    func alerts(_ code: UInt8, _ words: String) throws {
        let server = try RawServer.alerting(code)
        defer { server.stop() }
        let error = try error(server.secureURL())
        #expect(error.code == .ssl)
        #expect(error.description.contains(words), "\(error)")
        #expect(!error.isRetriable)
        #expect(error.libraryDetail?.isEmpty == false)
    }

    @Test(
        "that ends with an alert of OpenSSL's after the ClientHello is the same", arguments: [40, 80, 112] as [UInt8])
    func alertsOfOpenSSL(_ code: UInt8) throws {
        for version in [PeerTLSVersion.tls12, .tls13] {
            let identity = try CertificateAuthority.shared.server(.good)
            let server = try TLSFaultServer(identity: identity, version: version, handshakeAlert: code)
            defer { server.stop() }
            let error = try error(server.url())
            #expect(error.code == .ssl)
            #expect(!error.isRetriable)
            let words = [40: "no shared cipher", 80: "internal error", 112: "has no site"][code]
            #expect(error.description.contains(try #require(words)), "\(error)")
        }
    }

    @Test("that ends with close_notify says so, and is retriable", arguments: [1, 2] as [UInt8])
    func closeNotify(_ level: UInt8) throws {
        let server = try answering([21, 3, 3, 0, 2, level, 0])
        defer { server.stop() }
        let error = try error(server.secureURL())
        #expect(error.code == .ssl)
        #expect(error.description.contains("ended the connection during the TLS handshake"), "\(error)")
        #expect(error.isRetriable)
    }

    @Test("that ends with close_notify while TCP goes on is waited for as long as it may take, without work")
    func closeNotifyAlone() throws {
        let answered = MonotonicSemaphore()
        let server = try RawServer { peer in
            guard (try? RawServer.readRecord(peer)) != nil else { return }
            peer.send([21, 3, 3, 0, 2, 1, 0])
            answered.signal()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let loop = WebSocketLoop()
        let lease = try loop.lease()
        defer { _ = lease }
        let configuration = try SecureFaults.configuration { $0.secureSocket?.handshakeTimeout = .seconds(1) }
        let connecting = try Background {
            _ = try WebSocketClient(server.secureURL(), configuration: configuration, loop: loop)
        }
        #expect(answered.wait(until: Deadline(after: Timing.ages)))
        let work = try LoopWork(of: loop, during: .milliseconds(500))
        #expect(work.isIdle, "\(work)")
        let error = failure { try connecting.value() }
        #expect(error?.code == .ssl && error?.isRetriable == true)
    }

    @Test("of nothing but warnings ends")
    func warnings() throws {
        let warning: [UInt8] = [21, 3, 3, 0, 2, 1, 90]
        let server = try answering((0..<10_000).flatMap { _ in warning }, ends: false)
        defer { server.stop() }
        let error = try error(server.secureURL())
        #expect(error.code == .ssl, "\(error)")
        #expect(!error.isRetriable)
    }

    @Test(
        "of garbage in place of a ServerHello is ssl, whatever its length",
        arguments: [1, 2, 4, 5, 6, 11, 100, 1000, 16383, 16384, 16385, 16389, 16390, 100_000])
    func garbage(_ count: Int) throws {
        for seed in 0..<4 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let server = try answering(generator.bytes(count))
            defer { server.stop() }
            let error = try error(server.secureURL())
            #expect(error.code == .ssl, "\(error)")
        }
    }

    @Test("of garbage with the head of a record is ssl, also where TCP stays open")
    func records() throws {
        let junk = [UInt8](repeating: 0x5a, count: 64)
        let answers: [[UInt8]] = [
            // Handshake messages: of a type that there is none of, a ServerHello of junk, a Finished out of turn.
            [22, 3, 3, 0, 4, 99, 0, 0, 0], [22, 3, 3, 0, 68, 2, 0, 0, 64] + junk,
            [22, 3, 3, 0, 68, 20, 0, 0, 64] + junk,
            // Data before there is a key, a heartbeat, a record that is empty, one that is too long, SSL 2 and 3.
            [23, 3, 3, 0, 64] + junk, [24, 3, 3, 0, 64] + junk, [22, 3, 3, 0, 0] + [22, 3, 3, 0, 0],
            [22, 3, 3, 255, 255] + junk, [22, 2, 0, 0, 64] + junk, [22, 9, 9, 0, 64] + junk,
            // Change of cipher before there is one; an alert of one byte.
            [20, 3, 3, 0, 1, 1] + [23, 3, 3, 0, 64] + junk, [21, 3, 3, 0, 1, 2] + [21, 3, 3, 0, 1, 2],
        ]
        for answer in answers {
            for ends in [true, false] {
                let server = try answering(answer, ends: ends)
                defer { server.stop() }
                // Only an empty record leaves something to wait for.
                let mayWait = !ends && answer[4] == 0
                let error = try error(server.secureURL()) {
                    $0.handShakeTimeout = mayWait ? .milliseconds(300) : Timing.ages
                }
                let isWaiting = mayWait && error.code == .handshakeTimedOut
                #expect(error.code == .ssl || isWaiting, "\(answer.prefix(5)): \(error)")
            }
        }
    }

    @Test("that announces a handshake message of 16 MB takes no such memory")
    func hugeMessage() throws {
        let body = [UInt8](repeating: 1, count: 16000)
        let server = try answering([22, 3, 3, 0x3e, 0x84, 2, 0xff, 0xff, 0xff] + body, ends: false)
        defer { server.stop() }
        func attempt() throws {
            // Who waited for the rest of the message would wait until the time is up.
            let error = try error(server.secureURL())
            #expect(error.code == .ssl, "\(error)")
        }
        // What is grown into once.
        try attempt()
        let before = try ProcessMetrics.residentMemory()
        let count = 8
        for _ in 0..<count { try attempt() }
        let growth = try ProcessMetrics.residentMemory() - before
        // Half of what they would take.
        #expect(Sanitizer.isActive || growth < count * (8 << 20), "\(growth >> 10) KiB")
    }

    @Test("that arrives byte by byte is fine", arguments: [EchoServer.TLS.Version.tls12, .tls13])
    func pieces(_ version: EchoServer.TLS.Version) throws {
        let server = try SecureFaults.echoServer([version])
        defer { server.stop() }
        let relay = try SecureRelay(to: server.port) { _, path in
            let upstream = try Background { path.passUpstream() }
            while let byte = try? path.server.read(1), path.client.send(byte) {}
            path.client.closeConnection()
            try upstream.value()
        }
        defer { relay.stop() }
        let client = try WebSocketClient(relay.url(), configuration: SecureFaults.configuration())
        try client.writeTextMessage("in pieces")
        #expect(try client.readTextMessage() == "in pieces")
        try client.close()
    }
}
