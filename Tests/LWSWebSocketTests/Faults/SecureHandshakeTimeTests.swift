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
        let limit = Duration.milliseconds(400)
        let configuration = try configuration(limit, within: Timing.ages)
        let kept = Punctuality(of: limit) { () -> Void in
            let error = failure { try WebSocketClient(server.secureURL(), configuration: configuration) }
            #expect(error?.code == .ssl)
            #expect(
                error?.description == "The TLS handshake with 127.0.0.1 was not complete within 0.4 seconds; raise "
                    + "secureSocket.handshakeTimeout or check the server")
            #expect(error?.isRetriable == true)
        }
        #expect(kept.isKept, "\(kept)")
    }

    @Test("is limited by handShakeTimeout too, alone or before a longer handshakeTimeout")
    func outerLimit() throws {
        let server = try RawServer.silent()
        defer { server.stop() }
        let whole = Duration.milliseconds(300)
        for limit in [nil, .seconds(-1), Timing.ages, .seconds(Int64.max)] as [Duration?] {
            let configuration = try configuration(limit, within: whole)
            let kept = Punctuality(of: whole) { () -> Void in
                let error = failure { try WebSocketClient(server.secureURL(), configuration: configuration) }
                #expect(error?.code == .handshakeTimedOut)
                #expect(error?.description.contains("127.0.0.1") == true)
                #expect(error?.isRetriable == true)
            }
            #expect(kept.isKept, "\(kept)")
        }
    }

    @Test("is over when the handshake stops in the middle of a record, and no work is done while it waits")
    func middle() throws {
        let begun = MonotonicSemaphore()
        let server = try RawServer { peer in
            guard (try? RawServer.readRecord(peer)) != nil else { return }
            peer.send([22, 3, 3, 0x20])
            begun.signal()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let loop = WebSocketLoop()
        let lease = try loop.lease()
        defer { _ = lease }
        let configuration = try configuration(.seconds(1), within: Timing.ages)
        let connecting = try Background {
            _ = try WebSocketClient(server.secureURL(), configuration: configuration, loop: loop)
        }
        #expect(begun.wait(until: Deadline(after: Timing.ages)))
        let work = try LoopWork(of: loop, during: .milliseconds(500))
        #expect(work.isIdle, "\(work)")
        #expect(failure { try connecting.value() }?.code == .ssl)
    }

    @Test("does not count what comes before and after it")
    func onlyTLS() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        // Each limit is shorter than what it must not count.
        let isOpenLate = try succeedsWithSomeLimit { limit in
            let path = "/slow-upgrade/\(Int(limit * 2 / .milliseconds(1)))"
            let client = try WebSocketClient(
                unconnected: server.url(path), configuration: configuration(limit, within: limit * 2 + Timing.ages))
            return try opens(client, notBefore: limit * 2)
        }
        #expect(isOpenLate)
        // Connecting to the first addresses, which do not answer, has the time of handShakeTimeout: each a share of it, but
        // not more than 5 seconds.
        let hole = try BlackHole(host: "127.0.0.2", port: server.port)
        let addresses = [String](repeating: "127.0.0.2", count: 5) + ["127.0.0.1"]
        let isConnectedLate = try succeedsWithSomeLimit { limit in
            let client = try WebSocketClient(
                "wss://localhost:\(hole.port)/echo", configuration(limit, within: limit * 8), .shared,
                FixedResolver(addresses))
            return try opens(client, notBefore: limit)
        }
        #expect(isConnectedLate)
    }

    /// Connects, which takes longer than `limit`. False where the time was too short for the handshake.
    private func opens(_ client: WebSocketClient, notBefore limit: Duration) throws -> Bool {
        var error: WebSocketError?
        let time = Timing.of { error = failure { try client.connect() } }
        guard error == nil else {
            #expect(error?.code == .ssl || error?.code == .handshakeTimedOut)
            return false
        }
        #expect(client.isOpen)
        #expect(time > limit)
        try client.close()
        return true
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
            #expect(waiting.begun.wait(until: Deadline(after: Timing.ages)))
            let time = try Timing.of {
                try client.close()
                let error = failure { try connecting.value() }
                #expect(error?.code == .connectionClosure)
                #expect(error?.closure?.initiator == .local)
            }
            #expect(time < Timing.atOnce, "\(time)")
            #expect(waiting.ended.wait(until: Deadline(after: Timing.ages)))
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
        configuration.readTimeout = .milliseconds(200)
        var client: WebSocketClient? = try WebSocketClient(relay.url(), configuration: configuration)
        mayReset.signal()
        // A call has to meet the loss for the connection to be made again.
        #expect(eventually { client?.isOpen == false })
        #expect(failure { try client?.readMessage() }?.code == .readTimedOut)
        #expect(begun.wait(until: Deadline(after: Timing.ages)))
        let time = Timing.of {
            client = nil
            #expect(ended.wait(until: Deadline(after: Timing.ages)))
        }
        #expect(time < Timing.atOnce, "\(time)")
    }
}
