// What goes on, for suspended callers, over a lost connection that is made again.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Reconnecting for suspended callers", .serialized)
struct AsyncReconnectingTests {
    /// Ends the first connections at once, then echoes.
    private func server(losing count: Int = 1) throws -> NumberedServer {
        try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            if number < count { return peer.closeConnection() }
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
    }

    @Test("a receive goes on over the next connection, with blocked readers before and behind it")
    func reading() async throws {
        let mayAccept = MonotonicSemaphore()
        let server = try NumberedServer { number, peer in
            if number > 0 { _ = mayAccept.wait(until: Deadline(after: Timing.ages)) }
            try peer.acceptUpgrade()
            if number == 0 { return peer.closeConnection() }
            for text in ["0", "1", "2"] { peer.sendFrame(opcode: 1, Array(text.utf8)) }
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
        defer { server.stop() }
        let client = try await WebSocketClient.connect(server.url(), configuration: RetryLog().configuration())
        let first = try Background { try client.readMessage() }
        #expect(await becomes { client.inside.waiting == 1 })
        let second = Task { try await client.receive() }
        #expect(await becomes { client.inside.waiting == 2 })
        let third = try Background { try client.readMessage() }
        #expect(await becomes { client.inside.waiting == 3 })
        mayAccept.signal()
        #expect(try await value(of: second) == .text("1"))
        #expect(try first.value() == .text("0"))
        #expect(try third.value() == .text("2"))
        try await client.close()
    }

    @Test("a task that meets the loss has the connection made again, without a thread of its own")
    func byTask() async throws {
        let server = try server()
        defer { server.stop() }
        let log = RetryLog()
        let client = try await WebSocketClient.connect(server.url(), configuration: log.configuration())
        #expect(await becomes { client.inside.hasEnded })
        let reading = Task { try await client.receive() }
        #expect(await becomes { client.isOpen })
        #expect(try ProcessMetrics.threads(named: "lws-reconnect") == 0)
        try await client.send("y")
        #expect(try await value(of: reading) == .text("y"))
        #expect(log.all.count == 1 && log.all.first?.attempt == 0)
        try await client.close()
    }

    @Test("the first connect is tried again, until it succeeds or is not to be tried any more")
    func firstConnect() async throws {
        let server = try NumberedServer { number, peer in
            if number < 3 { return try peer.refuse(503) }
            try peer.acceptUpgrade()
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
        defer { server.stop() }
        let log = RetryLog()
        let client = try await WebSocketClient.connect(server.url(), configuration: log.configuration())
        #expect(log.all.map(\.attempt) == [0, 1, 2])
        #expect(try await client.echoesSuspended())
        try await client.close()
        let nobody = "ws://127.0.0.1:\(try FreePort.find())/"
        let few = RetryLog()
        let error = await asyncFailure {
            try await WebSocketClient.connect(nobody, configuration: few.configuration(maxCount: 2))
        }
        #expect(error?.code == .connection && few.all.count == 2)
    }

    @Test("a call keeps to its time, a cancelled one ends, and closing ends them all")
    func giving() async throws {
        let server = try NumberedServer { number, peer in
            if number > 0 { return try peer.refuse(503) }
            try peer.acceptUpgrade()
            peer.closeConnection()
        }
        defer { server.stop() }
        var configuration = RetryLog().configuration()
        configuration.readTimeout = .milliseconds(150)
        configuration.writeTimeout = nil
        let client = try await WebSocketClient.connect(server.url(), configuration: configuration)
        #expect(await asyncFailure { try await client.receive() }?.code == .readTimedOut)
        let cancelled = Task { try await client.send("never") }
        #expect(await becomes { client.inside.waiting == 1 })
        cancelled.cancel()
        #expect(await asyncFailure { try await value(of: cancelled, within: Timing.atOnce) }?.code == .cancelled)
        let waiting = Task { try await client.send("never") }
        #expect(await becomes { client.inside.waiting == 1 })
        try await client.close()
        #expect(await asyncFailure { try await value(of: waiting, within: Timing.atOnce) }?.closure?.code == 1000)
    }

    @Test("a hundred clients that lose their server at once need no hundred threads")
    func many() async throws {
        var server = try EchoServerOnPort()
        var configuration = RetryLog().configuration(interval: .milliseconds(50))
        configuration.readTimeout = .seconds(300)
        let clients = try await withThrowingTaskGroup(of: WebSocketClient.self) { group in
            for _ in 0..<100 {
                group.addTask { [url = server.url, configuration] in
                    try await WebSocketClient.connect(url, configuration: configuration)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let reading = clients.map { client in Task { try await client.receive() } }
        server.stop()
        #expect(await becomes { clients.allSatisfy { !$0.isOpen } })
        let threads = try ProcessMetrics.threads()
        #expect(threads < 64, "\(threads)")
        server = try EchoServerOnPort(server.port)
        for client in clients { try await client.send("back") }
        for task in reading { #expect(try await value(of: task) == .text("back")) }
        for client in clients { try await client.close() }
        server.stop()
    }

    /// Python's server, which can be started again on the same port.
    private struct EchoServerOnPort {
        private let server: PythonWebSocketsServer
        init(_ port: Int = 0) throws { server = try PythonWebSocketsServer(port: port) }
        var port: Int { server.port }
        var url: String { server.url() }
        func stop() { server.stop() }
    }
}
