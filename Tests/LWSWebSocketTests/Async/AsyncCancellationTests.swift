// Calls whose task is cancelled.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Cancelled calls", .serialized)
struct AsyncCancellationTests {
    @Test("a receive ends at once, and the connection goes on")
    func receive() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        let task = await Task.receiving(from: client)
        task.cancel()
        let error = await asyncFailure { try await value(of: task, within: Timing.atOnce) }
        #expect(error?.code == .cancelled && error?.closure == nil)
        #expect(client.readers == 0)
        #expect(try await client.echoesSuspended())
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await client.receive()
        }
        late.cancel()
        #expect(await asyncFailure { try await value(of: late) }?.code == .cancelled, "cancelled before")
        try await client.close()
    }

    @Test("a message that was taken already goes to the next reader, in front of all others")
    func putBack() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        // As the loop would, between the message's being handed over and its reader's waking.
        let signal = TaskSignal()
        guard case .wait(let reader) = client.inside.enterRead(waking: signal) else {
            Issue.record("served from an empty queue")
            return
        }
        try await client.send("first")
        try await client.send("second")
        #expect(await becomes { client.inside.hasUnread })
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await client.inside.wait(for: reader, signal)
        }
        task.cancel()
        guard case .cancelled = await task.value else {
            Issue.record("not cancelled")
            return
        }
        #expect(try await client.receive() == .text("first"))
        #expect(try await client.receive() == .text("second"))
        try await client.close()
    }

    @Test("a receive that is cancelled has left the line when cancel returns")
    func leavesAtOnce() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        var atOnce = 0
        for number in 0..<100 {
            let old = Task { try await client.receive() }
            #expect(await becomes { client.readers == 1 })
            old.cancel()
            // It may have been between getting in line and waiting there.
            if client.readers == 0 { atOnce += 1 }
            #expect(await becomes { client.readers == 0 })
            try await client.send("\(number)")
            #expect(try await client.receive() == .text("\(number)"))
            #expect(await asyncFailure { _ = try await old.value }?.code == .cancelled)
        }
        #expect(atOnce > 50, "\(atOnce)")
        try await client.close()
    }

    @Test("of thousands of receives that are cancelled while messages come, none loses a message")
    func receiveRaces() async throws {
        let count = Sanitizer.isActive ? 1000 : 5000
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        let sender = Task {
            for number in 0..<count {
                try await client.send("\(number)")
                if number % 7 == 0 { await Task.yield() }
            }
        }
        var received: [Int] = []
        var cancelled = 0
        while received.count < count {
            let task = Task { try await client.receive() }
            // At any moment of its life.
            for _ in 0..<Int.random(in: 0..<6) { await Task.yield() }
            if received.count % 3 != 0 { task.cancel() }
            do {
                guard case .text(let text) = try await value(of: task), let number = Int(text) else {
                    Issue.record("not a number")
                    return
                }
                received.append(number)
            } catch let error as WebSocketError {
                guard error.code == .cancelled else { throw error }
                cancelled += 1
            }
        }
        try await sender.value
        #expect(received == Array(0..<count), "all of them, each once, in order")
        #expect(cancelled > 0)
        try await client.close()
    }

    @Test("several readers that are cancelled at random lose no message between them")
    func manyReaders() async throws {
        let count = Sanitizer.isActive ? 1000 : 4000
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        let seen = Locked<Set<Int>>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for number in 0..<count { try await client.send("\(number)") } }
            for reader in 0..<4 {
                group.addTask {
                    while seen.withLock({ $0.count }) < count {
                        let task = Task { try await client.receive() }
                        // The last ones would wait for ever.
                        let isLast = seen.withLock { $0.count } > count - 8
                        for _ in 0..<Int.random(in: 0..<(isLast ? 20 : 4)) { await Task.yield() }
                        if reader % 2 == 0 || isLast { task.cancel() }
                        do {
                            guard case .text(let text) = try await task.value, let number = Int(text) else {
                                continue
                            }
                            #expect(seen.withLock { $0.insert(number).inserted }, "\(number) came twice")
                            if seen.withLock({ $0.count }) == count { try await client.close() }
                        } catch let error as WebSocketError {
                            if error.code == .connectionClosure { return }
                            #expect(error.code == .cancelled)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(seen.withLock { $0 } == Set(0..<count))
    }

    @Test("a send of which nothing has left is taken back; one that has begun is finished")
    func send() async throws {
        let server = try StallingServer()
        let client = try await WebSocketClient.connect(server.url())
        let stuck = Task { try await client.send([UInt8](repeating: 7, count: StallingServer.tooMuch)) }
        #expect(await becomes { client.inside.isInsideMessage })
        let behind = Task { try await client.send("never") }
        #expect(await becomes { client.inside.unsent == 2 })
        behind.cancel()
        let taken = await asyncFailure { try await value(of: behind, within: Timing.atOnce) }
        #expect(taken?.code == .cancelled && taken?.description.contains("nothing of the message") == true)
        stuck.cancel()
        let begun = await asyncFailure { try await value(of: stuck, within: Timing.atOnce) }
        #expect(begun?.code == .cancelled && begun?.description.contains("the rest follows") == true)
        #expect(begun?.isRetriable == false)
        #expect(client.isOpen)
        server.readOn()
        try await client.send("after")
        try await client.close()
        #expect(server.received.withLock { $0 } == StallingServer.tooMuch + 5, "all of the one, none of the other")
    }

    @Test("connecting ends at once, wherever it is", arguments: ["look-up", "handshake", "retry", "credentials"])
    func connecting(stage: String) async throws {
        let hole = try RawServer { $0.waitForEnd() }
        defer { hole.stop() }
        var configuration = ClientConfiguration()
        var url = hole.url()
        var resolver: any NameResolver = SystemNameResolver.shared
        let authenticator = SlowAuthenticator()
        switch stage {
        case "look-up":
            url = "ws://slow.example:\(hole.port)/"
            resolver = SlowResolver()
        case "retry":
            url = "ws://127.0.0.1:\(try FreePort.find())/"
            configuration.retryConfig = WebSocketRetryConfig(interval: .seconds(100), maxWaitInterval: .seconds(100))
        case "credentials": configuration.auth = .custom(authenticator)
        default: break
        }
        defer { authenticator.goOn.signal() }
        let client = try WebSocketClient(url, configuration, .shared, resolver)
        let events = client.events
        let task = Task { try await client.connect() }
        for await event in events where event.kind == (stage == "retry" ? .reconnecting : .connecting) { break }
        await Task.yield()
        task.cancel()
        #expect(await asyncFailure { try await value(of: task, within: Timing.atOnce) }?.code == .cancelled)
        #expect(await asyncFailure { try await client.receive() }?.code == .connectionClosure, "it is closed")
    }

    @Test("a close that is cancelled closes all the same")
    func close() async throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
        defer { server.stop() }
        var wasFirst = false
        // Once is enough: who waited for the connection's end, 5 s later, would never be first.
        for _ in 0..<5 where !wasFirst {
            let client = try await WebSocketClient.connect(server.url())
            let task = Task { try await client.close(timeout: nil) }
            #expect(await becomes { client.inside.isClosing })
            task.cancel()
            #expect(await asyncFailure { try await value(of: task, within: Timing.atOnce) }?.code == .cancelled)
            wasFirst = client.inside.isClosing
            #expect(await becomes { client.inside.hasEnded }, "the peer never answers")
        }
        #expect(wasFirst)
    }

    /// Takes as long as a test wants.
    private final class SlowAuthenticator: HandshakeAuthenticator {
        let goOn = MonotonicSemaphore()
        func headerFields(for request: AuthenticationRequest) throws(AuthenticationError) -> HTTPFields {
            _ = goOn.wait(until: Deadline(after: Timing.ages))
            return [:]
        }
    }
}
