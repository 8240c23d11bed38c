// Networks that are slow, cut everything small, or fall silent.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A network that", .serialized)
struct NetworkFaultTests {
    private static let bothKinds = [false, true]

    private struct Peer {
        let server: EchoServer
        let configuration: ClientConfiguration
        let scheme: String

        init(isSecure: Bool) throws {
            server = isSecure ? try SecureFaults.echoServer() : try EchoServer()
            var configuration = ClientConfiguration()
            try SecureFaults.trust(&configuration)
            (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
            self.configuration = configuration
            scheme = isSecure ? "wss" : "ws"
        }

        func url(_ relay: FaultRelay) -> String { "\(scheme)://127.0.0.1:\(relay.port)/echo" }
    }

    @Test("passes one byte at a time changes nothing", arguments: bothKinds, [false, true])
    func bytewise(_ isSecure: Bool, _ compresses: Bool) throws {
        let peer = try Peer(isSecure: isSecure)
        let relay = try FaultRelay(to: peer.server.port, upstream: .init(chunk: 1), downstream: .init(chunk: 1))
        var configuration = peer.configuration
        configuration.webSocketCompressionEnabled = compresses
        // What does not compress may come back a little longer than it went.
        if !compresses { configuration.maxFrameSize = 2000 }
        let client = try WebSocketClient(peer.url(relay), configuration: configuration)
        var generator = SeededGenerator(seed: 3)
        for count in [0, 1, 125, 126, 1999, 2000, 2001, 4500] {
            let bytes = generator.bytes(count)
            try client.writeBinaryMessage(bytes)
            #expect(try client.readBinaryMessage() == bytes)
        }
        try client.writeTextMessage("grüße, 漢字")
        #expect(try client.readTextMessage() == "grüße, 漢字")
        _ = try client.roundTripTime(timeout: Timing.ages)
        try client.close()
    }

    @Test("takes its time changes nothing but the time", arguments: bothKinds)
    func latency(_ isSecure: Bool) throws {
        let peer = try Peer(isSecure: isSecure)
        let slow = FaultRelay.Direction(latency: .milliseconds(30))
        let relay = try FaultRelay(to: peer.server.port, upstream: slow, downstream: slow)
        let client = try WebSocketClient(peer.url(relay), configuration: peer.configuration)
        #expect(try client.roundTripTime(timeout: Timing.ages) >= .milliseconds(60))
        let start = ContinuousClock.now
        try client.writeBinaryMessage([UInt8](repeating: 1, count: 50_000))
        #expect(try client.readBinaryMessage().count == 50_000)
        #expect(ContinuousClock.now - start >= .milliseconds(60))
        try client.close()
    }

    @Test("falls silent ends a read, a write, a ping and close in their time", arguments: bothKinds)
    func silence(_ isSecure: Bool) throws {
        let peer = try Peer(isSecure: isSecure)
        var configuration = peer.configuration
        configuration.readTimeout = .milliseconds(200)
        configuration.writeTimeout = .milliseconds(200)
        configuration.webSocketCompressionEnabled = false
        let closing = try Punctuality(
            of: .milliseconds(200),
            attempt: {
                let relay = try FaultRelay(to: peer.server.port)
                defer { relay.stop() }
                let client = try WebSocketClient(peer.url(relay), configuration: configuration)
                // Not by a message: a busy machine may take longer for that than this client waits.
                _ = try client.roundTripTime(timeout: Timing.ages)
                relay.fallSilent()
                #expect(failure { try client.readMessage() }?.code == .readTimedOut)
                #expect(failure { try client.roundTripTime(timeout: .milliseconds(100)) }?.code == .readTimedOut)
                #expect(client.isOpen)
                return try Timing.of { try client.close(timeout: .milliseconds(200)) }
            })
        #expect(closing.isKept, "\(closing)")
        // A write blocks once everybody's buffers are full.
        let other = try FaultRelay(to: peer.server.port)
        let writer = try WebSocketClient(peer.url(other), configuration: configuration)
        other.fallSilent()
        var error: WebSocketError?
        while error == nil {
            error = failure { try writer.writeBinaryMessage([UInt8](repeating: 0, count: 1 << 20)) }
        }
        #expect(error?.code == .writeTimedOut)
    }

    @Test("falls silent is noticed by keep-alive, and survived by a client that connects again", arguments: bothKinds)
    func keepAlive(_ isSecure: Bool) throws {
        let peer = try Peer(isSecure: isSecure)
        let relay = try FaultRelay(to: peer.server.port)
        defer { relay.stop() }
        var configuration = peer.configuration
        configuration.pingInterval = .milliseconds(100)
        configuration.pongTimeout = .milliseconds(200)
        // This one shows that the way is open; the other might be given up before, on a machine that is busy.
        let patient = try WebSocketClient(peer.url(relay), configuration: peer.configuration)
        try patient.exchange()
        let client = try WebSocketClient(peer.url(relay), configuration: configuration)
        relay.fallSilent()
        let error = failure { try client.readMessage() }
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure?.initiator == .network)
        #expect(!client.isOpen)
    }

    @Test("resets a connection in the middle is survived by a client that connects again", arguments: bothKinds)
    func again(_ isSecure: Bool) throws {
        let peer = try Peer(isSecure: isSecure)
        // The first connection ends after its handshake and some messages, and so does each one after it.
        let relay = try FaultRelay(to: peer.server.port, downstream: .init(limit: 20_000))
        var configuration = peer.configuration
        configuration.webSocketCompressionEnabled = false
        let log = RetryLog()
        configuration.retryConfig = log.configuration(interval: .milliseconds(10)).retryConfig
        configuration.readTimeout = .milliseconds(500)
        let client = try WebSocketClient(peer.url(relay), configuration: configuration)
        var echoed = 0
        for _ in 0..<60 {
            // What was on its way is lost with its connection, and told: by a read that ends, or by a write.
            let losses = log.all.count
            guard (try? client.writeBinaryMessage([UInt8](repeating: 2, count: 1000))) != nil else { continue }
            if try isEchoed(client, unless: { log.all.count > losses }) { echoed += 1 }
        }
        #expect(relay.faults >= 2)
        #expect(echoed >= 40)
        try client.close()
    }

    /// Whether an answer comes. One that does not come in the client's short time is late, on a machine that is busy, unless
    /// a connection was lost meanwhile, and the answer with it.
    private func isEchoed(_ client: WebSocketClient, unless isLost: () -> Bool) throws -> Bool {
        let deadline = Deadline(after: Timing.ages)
        while !deadline.hasPassed {
            do throws(WebSocketError) {
                return try client.readBinaryMessage().count == 1000
            } catch {
                guard error.code == .readTimedOut, !isLost() else { return false }
            }
        }
        throw StillRunning(limit: Timing.ages)
    }
}
