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
                _ = mayRead.wait(until: Deadline(after: Timing.ages))
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
            #expect(eventually { client.inside.isInsideMessage })
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
        for url in [echo.url(), python.url()] {
            let pinging = try SecureFaults.configuration { $0.pingInterval = .milliseconds(20) }
            let client = try WebSocketClient(url, configuration: pinging)
            for _ in 0..<10 {
                var time = Duration.zero
                let call = try Timing.of { time = try client.roundTripTime(timeout: Timing.ages) }
                #expect(time > .zero && time <= call, "\(time) of \(call)")
            }
            try client.close()
            let stays = try succeedsWithSomeLimit { limit in
                let configuration = try SecureFaults.configuration {
                    $0.pingInterval = .milliseconds(20)
                    $0.pongTimeout = limit
                    // Pings that are not answered would have ended the connection by then.
                    $0.readTimeout = limit + .milliseconds(200)
                }
                let client = try WebSocketClient(url, configuration: configuration)
                let error = failure { try client.readMessage() }
                guard error?.code == .readTimedOut, client.isOpen else { return false }
                try client.close()
                return true
            }
            #expect(stays)
        }
    }

    @Test("ends where a ping is not answered, in time")
    func unanswered() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration {
            $0.pingInterval = .milliseconds(240)
            $0.pongTimeout = .milliseconds(160)
        }
        let limit = Duration.milliseconds(400)
        let kept = try Punctuality(
            of: limit,
            attempt: {
                let start = ContinuousClock.now
                let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
                let opened = ContinuousClock.now
                let error = failure { try client.readMessage() }
                let end = ContinuousClock.now
                #expect(error?.code == .connectionClosure)
                #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
                #expect(error?.description.contains("127.0.0.1 did not answer a ping within") == true)
                // The connection was open at some time between these two: it is not early after the one, nor late after the
                // other.
                #expect(end - start >= limit)
                return max(end - opened, limit)
            })
        #expect(kept.isKept, "\(kept)")
    }

    @Test("ends where a peer that does not even read answers no ping, a blocked write too")
    func notReading() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        let isCutOff = try succeedsWithSomeLimit { limit in
            let configuration = try SecureFaults.configuration {
                $0.pingInterval = limit
                $0.pongTimeout = limit
            }
            let client = try WebSocketClient(server.url("/silent"), configuration: configuration)
            let error = failure { try client.writeBinaryMessage(message) }
            #expect(error?.code == .connectionClosure)
            // It is where the limits were shorter than it takes to copy the message.
            return error?.isRetriable == false
        }
        #expect(isCutOff)
    }

    // MARK: - Time limits

    @Test("reads no longer than it may, and stays open")
    func readTimeout() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration { $0.readTimeout = .milliseconds(200) }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let kept = Punctuality(of: .milliseconds(200)) {
            #expect(failure { try client.readMessage() }?.code == .readTimedOut)
        }
        #expect(kept.isKept, "\(kept)")
        try client.writeTextMessage("x")
        // The echo may take longer than one read may.
        #expect(eventually { (try? client.readTextMessage()) == "x" })
        try client.close()
    }

    @Test("takes back a message of which nothing has left when the time is up, and stays open")
    func timeoutBehindAnother() throws {
        let server = try Stalling()
        defer { server.stop() }
        let client = try WebSocketClient(server.url, configuration: SecureFaults.configuration())
        let stuck = try server.stuckWrite(on: client)
        let message = [UInt8](repeating: 1, count: 10).withUnsafeBytes { OutgoingMessage(.binary, $0) }
        let error = failure { try client.inside.write(message, timeout: .milliseconds(100)) }
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
        let message = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        func connect(_ limit: Duration) throws -> WebSocketClient {
            let configuration = try SecureFaults.configuration { $0.writeTimeout = limit }
            return try WebSocketClient(server.url("/silent"), configuration: configuration)
        }
        let isEnded = try succeedsWithSomeLimit { limit in
            let client = try connect(limit)
            let error = failure { try client.writeBinaryMessage(message) }
            #expect(error?.code == .writeTimedOut)
            // Not even its beginning has left.
            guard error?.closure != nil else { return false }
            #expect(error?.closure?.code == 1006)
            #expect(!client.isOpen)
            #expect(failure { try client.writeTextMessage("x") }?.code == .connectionClosure)
            return true
        }
        #expect(isEnded)
        let limit = Duration.milliseconds(400)
        let kept = try Punctuality(
            of: limit,
            attempt: {
                let client = try connect(limit)
                return Timing.of {
                    #expect(failure { try client.writeBinaryMessage(message) }?.code == .writeTimedOut)
                }
            })
        #expect(kept.isKept, "\(kept)")
    }

    @Test("does no work while a write waits")
    func waitingWrite() throws {
        let server = try Stalling()
        defer { server.stop() }
        let loop = WebSocketLoop()
        let client = try WebSocketClient(server.url, configuration: SecureFaults.configuration(), loop: loop)
        let stuck = try server.stuckWrite(on: client)
        let work = try LoopWork(of: loop, during: .milliseconds(500))
        #expect(work.isIdle, "\(work)")
        try client.close(timeout: .zero)
        #expect(failure { try stuck.value() }?.code == .connectionClosure)
    }

    // MARK: - Closing

    @Test("closes in no more than its timeout where the peer ignores it", arguments: [0, 200])
    func closeTimeout(_ milliseconds: Int) throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let limit = Duration.milliseconds(milliseconds)
        // How late a limit of zero may be cannot be told from it: what is missing of a length of which it can is added.
        let rest = Duration.milliseconds(200) - limit
        let kept = try Punctuality(
            of: limit + rest,
            attempt: {
                let client = try WebSocketClient(server.url("/silent"), configuration: SecureFaults.configuration())
                let time = try Timing.of { try client.close(timeout: limit) }
                #expect(!client.isOpen)
                return time + rest
            })
        #expect(kept.isKept, "\(kept)")
    }

    @Test("wakes a blocked write with close, though the peer takes nothing")
    func closeWakesWriter() throws {
        let server = try Stalling()
        defer { server.stop() }
        let client = try WebSocketClient(server.url, configuration: SecureFaults.configuration())
        let writing = try server.stuckWrite(on: client)
        let closing = try Background { try client.close(timeout: Timing.ages) }
        let time = Timing.of {
            let error = failure { try writing.value() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure?.initiator == .local)
        }
        #expect(time < Timing.atOnce, "\(time)")
        // The close itself may wait for as long as the server takes nothing, or until its time is up.
        client.inside.giveUp()
        try closing.value()
        let other = try WebSocketClient(server.url, configuration: SecureFaults.configuration())
        let stuck = try server.stuckWrite(on: other)
        #expect(try Timing.of { try other.close(timeout: .milliseconds(300)) } < Timing.atOnce)
        #expect(failure { try stuck.value() }?.code == .connectionClosure)
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
        #expect(other.inside.receivedClose == CloseFrame(code: 3001, reason: "grüße"))
    }

    @Test("is told by the peer's close frame, and not by the end of TLS behind it")
    func closedByPeer() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        for _ in 0..<10 {
            let client = try WebSocketClient(
                server.url("/close/4001/enough"), configuration: SecureFaults.configuration())
            let error = failure { try client.readMessage() }
            #expect(error?.closure == .init(code: 4001, reason: "enough", initiator: .peer, isClean: true))
        }
    }
}
