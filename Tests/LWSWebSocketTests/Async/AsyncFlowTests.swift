// Back-pressure, ends, and the threads of suspended callers.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The flow of suspended callers", .serialized)
struct AsyncFlowTests {
    @Test("messages that nobody receives pause reading; receiving goes on with all of them")
    func inbound() async throws {
        let count = 20_000
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url("/push/\(count)/1000"))
        #expect(await becomes { client.inside.isPaused })
        #expect(client.inside.room > -(1 << 17), "not much more than it may hold")
        var received = 0
        for try await message in client.messages {
            #expect(message.bytes.count == 1000)
            received += 1
            if received == count { break }
        }
        #expect(received == count)
        try await client.close()
    }

    @Test("a send suspends until the system has the message")
    func outbound() async throws {
        let server = try StallingServer()
        let client = try await WebSocketClient.connect(server.url())
        let isDone = Locked(false)
        let sending = Task {
            try await client.send([UInt8](repeating: 7, count: StallingServer.tooMuch))
            isDone.withLock { $0 = true }
        }
        #expect(await becomes { client.inside.isInsideMessage })
        #expect(!isDone.withLock { $0 })
        let others = (0..<100).map { _ in Task { try await client.send("behind") } }
        #expect(await becomes { client.inside.unsent == 101 })
        server.readOn()
        _ = try await value(of: sending)
        for other in others { try await value(of: other) }
        try await client.close()
        #expect(server.received.withLock { $0 } == StallingServer.tooMuch + 600)
    }

    @Test("closing wakes whoever is suspended, from a task and from a thread")
    func closing() async throws {
        for isBlocking in [false, true] {
            let server = try StallingServer()
            let client = try await WebSocketClient.connect(server.url())
            let reading = await Task.receiving(from: client)
            let sending = Task { try await client.send([UInt8](repeating: 7, count: StallingServer.tooMuch)) }
            #expect(await becomes { client.inside.isInsideMessage })
            let thread = try isBlocking ? Background { try client.close(timeout: .seconds(1)) } : nil
            if !isBlocking { try await client.close(timeout: .seconds(1)) }
            #expect(await asyncFailure { try await value(of: reading) }?.closure?.initiator == .local)
            #expect(await asyncFailure { try await value(of: sending) }?.code == .connectionClosure)
            try thread?.value()
        }
    }

    @Test("a connect is ended by a close elsewhere")
    func closedWhileConnecting() async throws {
        let server = try RawServer { $0.waitForEnd() }
        defer { server.stop() }
        let client = try WebSocketClient(unconnected: server.url())
        let task = Task { try await client.connect() }
        #expect(await becomes { client.inside.hasTransport })
        try await client.close()
        #expect(await asyncFailure { try await value(of: task) }?.code == .connectionClosure)
    }

    @Test("dropping a client closes it, while its events are watched")
    func dropping() async throws {
        let catcher = try FrameCatcher()
        var client: WebSocketClient? = try await WebSocketClient.connect(catcher.server.url())
        let events = try #require(client?.events)
        try await client?.send("x")
        client = nil
        #expect(try catcher.next(2).last?.payload == [0x03, 0xe9])
        var kinds: [WebSocketEvent.Kind] = []
        for await event in events { kinds.append(event.kind) }
        #expect(kinds == [.closing, .closed])
    }

    @Test("suspended callers block none of the pool's threads: there are far more of them, and others go on")
    func pool() async throws {
        let server = try EchoProcess()
        let stalling = try StallingServer()
        let clients = try await withThrowingTaskGroup(of: WebSocketClient.self) { group in
            for _ in 0..<8 { group.addTask { try await WebSocketClient.connect(server.url()) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        var configuration = ClientConfiguration()
        configuration.readTimeout = .seconds(300)
        let busy = try await WebSocketClient.connect(stalling.url(), configuration: configuration)
        var waiting: [Task<Void, any Error>] = clients.flatMap { client in
            (0..<64).map { _ in Task { _ = try await client.receive() } }
        }
        waiting += (0..<64).map { _ in Task { _ = try await busy.receive() } }
        waiting += (0..<64).map { _ in Task { try await busy.send([UInt8](repeating: 7, count: 1 << 20)) } }
        #expect(await becomes { clients.allSatisfy { $0.readers == 64 } && busy.readers == 64 })
        // As many tasks as there are threads at any rate.
        let progress = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    for _ in 0..<100 { await Task.yield() }
                    return 100
                }
            }
            return await group.reduce(0, +)
        }
        #expect(progress == 1600)
        let threads = try ProcessMetrics.threads()
        #expect(threads < 64, "\(threads)")
        for task in waiting { task.cancel() }
        for task in waiting { _ = await asyncFailure { try await value(of: task) } }
        stalling.readOn()
        for client in clients {
            #expect(try await client.echoesSuspended())
            try await client.close()
        }
    }
}
