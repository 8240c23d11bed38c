// The time limits of suspended callers.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Time limits of suspended callers", .serialized)
struct AsyncTimeLimitTests {
    @Test("a receive that has its time goes, and the connection stays")
    func reading() async throws {
        let server = try EchoProcess()
        var configuration = ClientConfiguration()
        configuration.readTimeout = .milliseconds(100)
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        let kept = try await punctuality(of: .milliseconds(100)) {
            let time = try await duration(until: .readTimedOut) { try await client.receive() }
            guard client.readers == 0 else { throw PeerError("it is in line still") }
            return time
        }
        #expect(kept.isKept, "\(kept)")
        #expect(try await echoes(client))
        try await client.close()
    }

    /// An echo that may take longer than one receive waits.
    private func echoes(_ client: WebSocketClient) async throws -> Bool {
        try await client.send("echo")
        let deadline = Deadline(after: Timing.ages)
        while true {
            do throws(WebSocketError) {
                return try await client.receive() == .text("echo")
            } catch {
                guard error.code == .readTimedOut, !deadline.hasPassed else { throw error }
            }
        }
    }

    @Test("of many receives at once that have their time one is served, and the others go")
    func manyReading() async throws {
        let server = try EchoProcess()
        // A busy machine may not have all of them in line, and the message back, before the first one's time is over.
        var served = 0
        for limit in [Duration.milliseconds(500), .seconds(5), Timing.atOnce] where served == 0 {
            served = try await self.served(by: server, within: limit)
        }
        #expect(served == 1)
    }

    private func served(by server: EchoProcess, within limit: Duration) async throws -> Int {
        var configuration = ClientConfiguration()
        configuration.readTimeout = limit
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        let tasks = (0..<50).map { _ in Task { try await client.receive() } }
        if await becomes(within: limit, { client.readers == 50 }) { try await client.send("for the first") }
        var served = 0
        for task in tasks {
            let error = await asyncFailure { try await value(of: task) }
            if error == nil { served += 1 } else { #expect(error?.code == .readTimedOut) }
        }
        #expect(client.readers == 0)
        if served > 0 { #expect(try await echoes(client)) }
        try await client.close()
        return served
    }

    @Test("a send of which nothing has left is taken back; one that has begun ends the connection")
    func writing() async throws {
        let server = try StallingServer()
        var configuration = ClientConfiguration()
        var hasBegun = false
        // On a busy machine it may not begin in a short time; then it is taken back.
        for limit in [Duration.milliseconds(200), .seconds(4), Timing.atOnce] where !hasBegun {
            configuration.writeTimeout = limit
            let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
            let error = await asyncFailure {
                try await client.send([UInt8](repeating: 7, count: StallingServer.tooMuch))
            }
            #expect(error?.code == .writeTimedOut)
            hasBegun = error?.closure != nil
            #expect(client.isOpen == !hasBegun)
        }
        #expect(hasBegun)
        configuration.writeTimeout = .milliseconds(200)
        let other = try await WebSocketClient.connect(server.url(), configuration: configuration)
        let long = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        let message = long.withUnsafeBytes { OutgoingMessage(.binary, $0) }
        let writing = Task { try await other.inside.send(message, timeout: nil) }
        #expect(await becomes { other.inside.isInsideMessage })
        let behind = await asyncFailure { try await other.send("x") }
        #expect(behind?.code == .writeTimedOut && behind?.closure == nil && other.isOpen)
        server.readOn()
        _ = await asyncFailure { try await writing.value }
    }

    @Test("connecting to a server that does not answer, or a name that is not found in time, takes as long as it may")
    func handshake() async throws {
        let server = try RawServer { $0.waitForEnd() }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(200)
        for (host, resolver) in [
            ("127.0.0.1", SystemNameResolver.shared as any NameResolver), ("slow.example", SlowResolver()),
        ] {
            let kept = try await punctuality(of: .milliseconds(200)) { [configuration] in
                let client = try WebSocketClient("ws://\(host):\(server.port)/", configuration, .shared, resolver)
                return try await duration(until: .handshakeTimedOut) { try await client.connect() }
            }
            #expect(kept.isKept, "\(host): \(kept)")
        }
    }

    @Test("are kept without a loop too, and start none")
    func withoutLoop() async throws {
        let kept = try await punctuality(of: .milliseconds(100)) {
            await duration { await TaskSignal().wait(until: Deadline(after: .milliseconds(100)), by: nil) }
        }
        #expect(kept.isKept, "\(kept)")
        let loop = WebSocketLoop()
        let client = try WebSocketClient(unconnected: "ws://127.0.0.1:9/", loop: loop)
        // Without the limit it would wait for ever.
        let time = await duration { await client.inside.wait(until: Deadline(after: .zero)) }
        #expect(time < Timing.atOnce, "\(time)")
        #expect(!loop.isRunning)
    }

    @Test("a close waits for the peer as long as it is told")
    func closing() async throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let kept = try await punctuality(of: .milliseconds(200)) {
            let client = try await WebSocketClient.connect(server.url())
            let time = try await duration { try await client.close(timeout: .milliseconds(200)) }
            guard client.inside.hasEnded else { throw PeerError("it has not ended") }
            return time
        }
        #expect(kept.isKept, "\(kept)")
        let client = try await WebSocketClient.connect(server.url())
        try await client.close(timeout: .milliseconds(1))
        #expect(client.inside.hasEnded)
        #expect(
            await asyncFailure { try await client.close(timeout: .seconds(-2)) }?.code == .invalidArgument)
        #expect(await asyncFailure { try await client.close(statusCode: 1005) }?.code == .invalidArgument)
    }
}
