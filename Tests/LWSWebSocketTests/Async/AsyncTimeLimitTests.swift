// The time limits of suspended callers.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Time limits of suspended callers", .serialized)
struct AsyncTimeLimitTests {
    /// Not early, and late by no more than a busy machine makes it.
    private func expectAbout(_ expected: Duration, _ body: () async throws -> Void) async rethrows {
        let start = ContinuousClock.now
        try await body()
        let time = ContinuousClock.now - start
        #expect(time >= expected && time < expected + .milliseconds(500), "\(time)")
    }

    @Test("a receive that has its time goes, and the connection stays")
    func reading() async throws {
        let server = try EchoProcess()
        var configuration = ClientConfiguration()
        configuration.readTimeout = .milliseconds(100)
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        for _ in 0..<3 {
            await expectAbout(.milliseconds(100)) {
                #expect(await asyncFailure { try await client.receive() }?.code == .readTimedOut)
            }
            #expect(client.readers == 0)
        }
        // Many at once, of which one is served.
        let tasks = (0..<50).map { _ in Task { try await client.receive() } }
        #expect(await becomes { client.readers == 50 })
        try await client.send("for the first")
        var served = 0
        for task in tasks {
            let error = await asyncFailure { try await value(of: task) }
            if error == nil { served += 1 } else { #expect(error?.code == .readTimedOut) }
        }
        #expect(served == 1)
        #expect(try await client.echoesSuspended())
        try await client.close()
    }

    @Test("a send of which nothing has left is taken back; one that has begun ends the connection")
    func writing() async throws {
        let server = try StallingServer()
        var configuration = ClientConfiguration()
        configuration.writeTimeout = .milliseconds(200)
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        let stuck = Task { try await client.send([UInt8](repeating: 7, count: StallingServer.tooMuch)) }
        #expect(await becomes { client.connection.query { $0.outbound.isInsideMessage } })
        let error = await asyncFailure { try await value(of: stuck) }
        #expect(error?.code == .writeTimedOut && error?.closure != nil)
        #expect(!client.isOpen)
        let other = try await WebSocketClient.connect(server.url(), configuration: configuration)
        let long = [UInt8](repeating: 7, count: StallingServer.tooMuch)
        let message = long.withUnsafeBytes { OutgoingMessage(.binary, $0) }
        let writing = Task { try await other.link.send(message, timeout: nil) }
        #expect(await becomes { other.connection.query { $0.outbound.isInsideMessage } })
        let behind = await asyncFailure { try await other.send("x") }
        #expect(behind?.code == .writeTimedOut)
        server.readOn()
        _ = await asyncFailure { try await writing.value }
    }

    @Test("connecting to a server that does not answer, or a name that is not found in time, takes as long as it may")
    func handshake() async throws {
        let server = try RawServer { $0.waitForEnd() }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(150)
        for (host, resolver) in [
            ("127.0.0.1", SystemNameResolver.shared as any NameResolver), ("slow.example", SlowResolver()),
        ] {
            let client = try WebSocketClient(
                "ws://\(host):\(server.port)/", configuration, .shared, resolver)
            await expectAbout(.milliseconds(150)) {
                #expect(await asyncFailure { try await client.connect() }?.code == .handshakeTimedOut)
            }
        }
    }

    @Test("are kept without a loop too, and start none")
    func withoutLoop() async throws {
        await expectAbout(.milliseconds(100)) {
            await TaskSignal().wait(until: Deadline(after: .milliseconds(100)), by: nil)
        }
        let loop = WebSocketLoop()
        let client = try WebSocketClient(unconnected: "ws://127.0.0.1:9/", loop: loop)
        await expectAbout(.zero) {
            await client.link.limit(Deadline(after: .zero)).wait(for: TaskSignal())
        }
        #expect(!loop.isRunning)
    }

    @Test("a close waits for the peer as long as it is told")
    func closing() async throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try await WebSocketClient.connect(server.url())
        try await expectAbout(.milliseconds(150)) { try await client.close(timeout: .milliseconds(150)) }
        #expect(client.connection.phase == .ended)
        #expect(
            await asyncFailure { try await client.close(timeout: .seconds(-2)) }?.code == .invalidArgument)
        #expect(await asyncFailure { try await client.close(statusCode: 1005) }?.code == .connectionClosure)
    }
}
