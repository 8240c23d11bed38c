// What a log handler may do to the client whose line it is given.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A log handler")
struct LogHandlerTests {
    /// A client whose log handler does something to it with each line.
    private struct Watched {
        let client: WebSocketClient
        let log: RecordedLog

        init(
            _ url: String, retrying: Bool = false,
            _ act: @escaping @Sendable (WebSocketClient, RecordedLog.Line) -> Void
        ) throws {
            let place = Locked<@Sendable () -> WebSocketClient?>({ nil })
            log = RecordedLog { line in
                if let client = place.withLock({ $0 })() { act(client, line) }
            }
            var configuration = log.configuration
            configuration.loggedPayloadBytes = 10
            if retrying { configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1)) }
            client = try WebSocketClient(unconnected: url, configuration: configuration)
            place.withLock { $0 = { [weak client] in client } }
        }
    }

    private func look(_ client: WebSocketClient, _ line: RecordedLog.Line) {
        _ = (client.isOpen, client.httpResponse, client.closure, client.connectionID)
    }

    @Test("may look at the client, whose caller is blocked")
    func looking() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let watched = try Watched(server.url(), look)
        try watched.client.connect()
        try watched.client.exchange("hello")
        try watched.client.close()
        #expect(watched.log.messages.first == "connecting" && watched.log.messages.last == "closed")
        #expect(watched.log.messages.filter { $0 == "frame sent" }.count == 2)
    }

    @Test("may look at the client, whose caller is suspended")
    func suspended() async throws {
        let server = try EchoServer()
        defer { server.stop() }
        let watched = try Watched(server.url(), look)
        try await watched.client.connect()
        try await watched.client.send("hello")
        #expect(try await watched.client.receive() == .text("hello"))
        try await watched.client.close()
        #expect(watched.log.messages.first == "connecting" && watched.log.messages.last == "closed")
        #expect(watched.log.messages.filter { $0 == "frame sent" }.count == 2)
    }

    /// Ends the first connection as soon as it is open, and echoes on the second.
    private func restartingServer() throws -> NumberedServer {
        try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            guard number > 0 else { return peer.closeConnection() }
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
    }

    @Test("may look at the client while writers wait for another connection")
    func reconnecting() throws {
        let server = try restartingServer()
        defer { server.stop() }
        let watched = try Watched(server.url(), retrying: true, look)
        let client = watched.client
        try client.connect()
        #expect(eventually { !client.isOpen })
        let writers = try (0..<3).map { number in try Background { try client.writeTextMessage("\(number)") } }
        for writer in writers { try writer.value() }
        #expect(Set(try (0..<3).map { _ in try client.readTextMessage() }) == ["0", "1", "2"])
        #expect(watched.log.messages.filter { $0 == "frame sent" }.count == 3)
    }

    @Test("may look at the client while suspended writers wait for another connection")
    func reconnectingSuspended() async throws {
        let server = try restartingServer()
        defer { server.stop() }
        let watched = try Watched(server.url(), retrying: true, look)
        let client = watched.client
        try await client.connect()
        #expect(await becomes { !client.isOpen })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3 { group.addTask { try await client.send("\(number)") } }
            try await group.waitForAll()
        }
        var read: Set<String> = []
        for _ in 0..<3 {
            if case .text(let text) = try await client.receive() { read.insert(text) }
        }
        #expect(read == ["0", "1", "2"])
    }

    @Test("gets an error from each call that would block, and brings no lines about")
    func blocking() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let codes = Locked<[WebSocketError.Code?]>([])
        let watched = try Watched(server.url()) { client, line in
            let tries = [
                failure { try client.close() }, failure { try client.readMessage() },
                failure { try client.writeTextMessage("more") }, failure { try client.ping() },
                failure { try client.roundTripTime() }, failure { try WebSocketClient(client.connection.url.origin) },
            ]
            codes.withLock { $0 += tries.map { $0?.code } }
        }
        try watched.client.connect()
        try watched.client.exchange("hello")
        try watched.client.close()
        let all = codes.withLock { $0 }
        #expect(!all.isEmpty && all.allSatisfy { $0 == .invalidArgument })
        #expect(watched.log.messages.filter { $0 == "message to be sent" }.count == 1)
        #expect(watched.log.messages.last == "closed")
    }
}
