// How long the TLS handshake may take, and what ends it before.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The time of a TLS handshake", .serialized)
struct SecureHandshakeTimeTests {
    private func configuration(_ handshakeTimeout: Duration?, within limit: Duration) throws -> ClientConfiguration {
        try SecureFaults.configuration {
            $0.secureSocket?.handshakeTimeout = handshakeTimeout
            $0.handShakeTimeout = limit
        }
    }

    @Test("is limited by handshakeTimeout, which is ssl and retriable")
    func ownLimit() throws {
        let server = try RawServer.silent()
        defer { server.stop() }
        let configuration = try configuration(.milliseconds(200), within: .seconds(10))
        let time = Timing.best(of: 3) {
            let error = failure { try WebSocketClient(server.secureURL(), configuration: configuration) }
            #expect(error?.code == .ssl)
            #expect(
                error?.description == "The TLS handshake with 127.0.0.1 was not complete within 0.2 seconds; raise "
                    + "secureSocket.handshakeTimeout or check the server")
            #expect(error?.isRetriable == true)
        }
        #expect(time.isAbout(.milliseconds(200)), "\(time)")
    }

    @Test("is limited by handShakeTimeout too, alone or before a longer handshakeTimeout")
    func outerLimit() throws {
        let server = try RawServer.silent()
        defer { server.stop() }
        for limit in [nil, .seconds(-1), .seconds(5), .seconds(Int64.max)] as [Duration?] {
            let configuration = try configuration(limit, within: .milliseconds(200))
            let time = Timing.best(of: 3) {
                let error = failure { try WebSocketClient(server.secureURL(), configuration: configuration) }
                #expect(error?.code == .handshakeTimedOut)
                #expect(error?.description.contains("127.0.0.1") == true)
                #expect(error?.isRetriable == true)
            }
            #expect(time.isAbout(.milliseconds(200)), "\(time)")
        }
    }

    @Test("is over when the handshake stops in the middle of a record, and no work is done while it waits")
    func middle() throws {
        let server = try RawServer { peer in
            guard (try? RawServer.readRecord(peer)) != nil else { return }
            peer.send([22, 3, 3, 0x20])
            peer.waitForEnd()
        }
        defer { server.stop() }
        let loop = WebSocketLoop()
        let lease = try loop.lease()
        defer { _ = lease }
        let configuration = try configuration(.milliseconds(500), within: .seconds(10))
        let before = try SecureFaults.workTime(of: loop)
        let error = failure { try WebSocketClient(server.secureURL(), configuration: configuration, loop: loop) }
        #expect(error?.code == .ssl)
        let work = try SecureFaults.workTime(of: loop) - before
        #expect(Sanitizer.isActive || work < .milliseconds(50), "\(work)")
    }

    @Test("does not count what comes before and after it")
    func onlyTLS() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let patient = try configuration(.milliseconds(200), within: .seconds(10))
        let client = try WebSocketClient(server.url("/slow-upgrade/500"), configuration: patient)
        #expect(client.isOpen)
        try client.close()
        // Connecting to the first address, which does not answer, has the time of handShakeTimeout.
        let hole = try BlackHole(host: "127.0.0.2", port: server.port)
        var slow = patient
        slow.handShakeTimeout = .seconds(1)
        let other = try WebSocketClient(
            "wss://localhost:\(hole.port)/echo", slow, .shared, FixedResolver(["127.0.0.2", "127.0.0.1"]))
        try other.connect()
        #expect(other.isOpen)
        try other.close()
    }

    /// A server that says when the handshake has begun, and when the client has ended it.
    private struct Waiting {
        let server: RawServer
        let begun = MonotonicSemaphore()
        let ended = MonotonicSemaphore()

        init() throws {
            server = try RawServer { [begun, ended] peer in
                guard (try? RawServer.readRecord(peer)) != nil else { return }
                begun.signal()
                peer.waitForEnd()
                ended.signal()
            }
        }
    }

    @Test("ends at once with close from another thread")
    func closed() throws {
        for _ in 0..<5 {
            let waiting = try Waiting()
            defer { waiting.server.stop() }
            let client = try WebSocketClient(
                unconnected: waiting.server.secureURL(), configuration: SecureFaults.configuration())
            let connecting = try Background { try client.connect() }
            #expect(waiting.begun.wait(until: Deadline(after: .seconds(5))))
            let time = try Timing.of {
                try client.close()
                let error = failure { try connecting.value() }
                #expect(error?.code == .connectionClosure)
                #expect(error?.closure?.initiator == .local)
            }
            #expect(time < .milliseconds(100), "\(time)")
            #expect(waiting.ended.wait(until: Deadline(after: .seconds(5))))
        }
    }

    @Test("ends at once where the client is dropped while its connection is made again")
    func dropped() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let (mayReset, begun, ended) = (MonotonicSemaphore(), MonotonicSemaphore(), MonotonicSemaphore())
        let relay = try SecureRelay(to: server.port) { number, path in
            guard number == 0 else {
                _ = try RawServer.readRecord(path.client)
                begun.signal()
                path.client.waitForEnd()
                return ended.signal()
            }
            try path.pass(until: mayReset) { path.client.reset() }
        }
        defer { relay.stop() }
        let log = RetryLog()
        var configuration = log.configuration(interval: .milliseconds(1))
        try SecureFaults.trust(&configuration)
        configuration.readTimeout = .milliseconds(50)
        var client: WebSocketClient? = try WebSocketClient(relay.url(), configuration: configuration)
        mayReset.signal()
        // A call has to meet the loss for the connection to be made again.
        #expect(eventually(within: .seconds(5)) { client?.isOpen == false })
        #expect(failure { try client?.readMessage() }?.code == .readTimedOut)
        #expect(begun.wait(until: Deadline(after: .seconds(10))))
        let time = Timing.of {
            client = nil
            #expect(ended.wait(until: Deadline(after: .seconds(5))))
        }
        #expect(time < .milliseconds(200), "\(time)")
    }
}
