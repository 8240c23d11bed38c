// Pings, time limits and closing over TLS.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The life of a connection over TLS", .serialized)
struct SecureLifeTests {
    /// A TLS server that takes nothing of what the client sends, until it may.
    private final class Stalling: Sendable {
        private let server: EchoServer
        private let relay: SecureRelay
        private let mayRead = MonotonicSemaphore()

        init() throws {
            server = try SecureFaults.echoServer()
            relay = try SecureRelay(to: server.port) { [mayRead] _, path in
                let downstream = try Background { path.passDownstream() }
                // The ClientHello, the change of cipher, Finished, the request.
                for _ in 0..<4 { path.server.send(try RawServer.readRecord(path.client)) }
                _ = mayRead.wait(until: Deadline(after: .seconds(30)))
                path.passUpstream()
                try downstream.value()
            }
        }

        var url: String { relay.url() }
        func readOn() { mayRead.signal() }

        func stop() {
            for _ in 0..<10 { readOn() }
            relay.stop()
            server.stop()
        }

        /// A write that has begun and cannot go on.
        func stuckWrite(on client: WebSocketClient) throws -> Background<Void> {
            let writing = try Background {
                try client.writeBinaryMessage([UInt8](repeating: 7, count: StallingServer.tooMuch))
            }
            #expect(eventually(within: .seconds(10)) { client.connection.query { $0.outbound.isInsideMessage } })
            #expect(writing.isBlocked())
            return writing
        }
    }

    // MARK: - Pings

    @Test("measures a round trip, and stays with pings that are answered")
    func pings() throws {
        let echo = try SecureFaults.echoServer()
        let python = try SecureFaults.pythonServer()
        defer {
            echo.stop()
            python.stop()
        }
        let configuration = try SecureFaults.configuration {
            $0.pingInterval = .milliseconds(20)
            $0.pongTimeout = .milliseconds(500)
            $0.readTimeout = .milliseconds(700)
        }
        for url in [echo.url(), python.url()] {
            let client = try WebSocketClient(url, configuration: configuration)
            for _ in 0..<10 {
                let time = try client.roundTripTime()
                #expect(time > .zero && time < .milliseconds(500), "\(time)")
            }
            #expect(failure { try client.readMessage() }?.code == .readTimedOut)
            #expect(client.isOpen)
            try client.close()
        }
    }

    @Test("ends where a ping is not answered, in time")
    func unanswered() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration {
            $0.pingInterval = .milliseconds(100)
            $0.pongTimeout = .milliseconds(60)
        }
        let time = try Timing.best(of: 3) {
            let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
            let error = failure { try client.readMessage() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
            #expect(error?.description.contains("127.0.0.1 did not answer a ping within") == true)
        }
        #expect(time >= .milliseconds(160) && time < .milliseconds(250), "\(time)")
    }

    @Test("ends where a peer that does not even read answers no ping, a blocked write too")
    func notReading() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration {
            // Longer than it takes to copy the message.
            $0.pingInterval = .milliseconds(500)
            $0.pongTimeout = .milliseconds(500)
        }
        let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
        let error = failure {
            try client.writeBinaryMessage([UInt8](repeating: 7, count: StallingServer.tooMuch))
        }
        #expect(error?.code == .connectionClosure)
        #expect(error?.isRetriable == false)
    }

    // MARK: - Time limits

    @Test("reads no longer than it may, and stays open")
    func readTimeout() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration { $0.readTimeout = .milliseconds(100) }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let time = Timing.best(of: 3) { #expect(failure { try client.readMessage() }?.code == .readTimedOut) }
        #expect(time.isAbout(.milliseconds(100)), "\(time)")
        try client.writeTextMessage("x")
        #expect(try client.readTextMessage() == "x")
        try client.close()
    }

    @Test("takes back a message of which nothing has left when the time is up, and stays open")
    func timeoutBehindAnother() throws {
        let server = try Stalling()
        defer { server.stop() }
        let client = try WebSocketClient(server.url, configuration: SecureFaults.configuration())
        let stuck = try server.stuckWrite(on: client)
        let message = [UInt8](repeating: 1, count: 10).withUnsafeBytes { OutgoingMessage(.binary, $0) }
        let error = failure { try client.link.write(message, timeout: .milliseconds(100)) }
        #expect(error?.code == .writeTimedOut)
        #expect(error?.closure == nil)
        #expect(client.isOpen)
        server.readOn()
        // The echo of it comes only as fast as it is read.
        #expect(try client.readBinaryMessage().count == StallingServer.tooMuch)
        try stuck.value()
        try client.writeTextMessage("still open")
        #expect(try client.readTextMessage() == "still open")
        try client.close()
    }

    @Test("ends where the time is up and a part of a message has left, and says so")
    func timeoutInTheMiddle() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration { $0.writeTimeout = .milliseconds(300) }
        let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        let clients = try (0..<3).map { _ in
            try WebSocketClient(server.url("/silent"), configuration: configuration)
        }
        let times = clients.map { client in
            Timing.of {
                let error = failure { try client.writeBinaryMessage(message) }
                #expect(error?.code == .writeTimedOut)
                #expect(error?.closure?.code == 1006)
                #expect(!client.isOpen)
                #expect(failure { try client.writeTextMessage("x") }?.code == .connectionClosure)
            }
        }
        #expect(times.allSatisfy { $0 >= .milliseconds(300) }, "\(times)")
        #expect(times.contains { $0 < .milliseconds(450) }, "\(times)")
    }

    @Test("does no work while a write waits")
    func waitingWrite() throws {
        let server = try Stalling()
        defer { server.stop() }
        let loop = WebSocketLoop()
        let client = try WebSocketClient(server.url, configuration: SecureFaults.configuration(), loop: loop)
        let stuck = try server.stuckWrite(on: client)
        let work = try SecureFaults.workTime(of: loop, during: .seconds(1))
        #expect(Sanitizer.isActive || work < .milliseconds(50), "\(work)")
        try client.close(timeout: .zero)
        #expect(failure { try stuck.value() }?.code == .connectionClosure)
    }

    // MARK: - Closing

    @Test("closes in no more than its timeout where the peer ignores it", arguments: [0, 100])
    func closeTimeout(_ milliseconds: Int) throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let limit = Duration.milliseconds(milliseconds)
        var clients = try (0..<5).map { _ in
            try WebSocketClient(server.url("/silent"), configuration: SecureFaults.configuration())
        }
        let time = try Timing.best {
            let client = clients.removeLast()
            try client.close(timeout: limit)
            #expect(!client.isOpen)
        }
        #expect(time.isAbout(limit), "\(time)")
    }

    @Test("wakes a blocked write with close, though the peer takes nothing")
    func closeWakesWriter() throws {
        let server = try Stalling()
        defer { server.stop() }
        let client = try WebSocketClient(server.url, configuration: SecureFaults.configuration())
        let writing = try server.stuckWrite(on: client)
        let closing = try Background { try client.close(timeout: .milliseconds(300)) }
        let time = Timing.of {
            let error = failure { try writing.value() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure?.initiator == .local)
        }
        #expect(time < .milliseconds(100), "\(time)")
        try closing.value(within: .seconds(1))
    }

    @Test("exchanges close frames, and ends TLS with close_notify", arguments: [PeerTLSVersion.tls12, .tls13])
    func closeNotify(_ version: PeerTLSVersion) throws {
        let server = try TLSFaultServer(identity: CertificateAuthority.shared.server(.good), version: version)
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: SecureFaults.configuration())
        try client.writeTextMessage("x")
        #expect(try client.readTextMessage() == "ok")
        // This server takes the close frame for any other.
        try client.close(timeout: .milliseconds(100))
        let ending = try server.waitForEnding()
        #expect(["close_notify", "end of TCP", "reset"].contains(ending), "\(ending)")
        let echo = try SecureFaults.echoServer()
        defer { echo.stop() }
        let other = try WebSocketClient(echo.url(), configuration: SecureFaults.configuration())
        try other.close(statusCode: 3001, reason: "grüße")
        #expect(other.connection.ending?.received == CloseFrame(code: 3001, reason: "grüße"))
    }

    @Test("is told by the peer's close frame, and not by the end of TLS behind it")
    func closedByPeer() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        for _ in 0..<10 {
            let client = try WebSocketClient(
                server.url("/close/4001/enough"), configuration: SecureFaults.configuration())
            let error = failure { try client.readMessage() }
            #expect(error?.closure == .init(code: 4001, reason: "enough", initiator: .peer))
        }
    }
}
