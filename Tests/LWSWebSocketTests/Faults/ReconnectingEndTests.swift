// What keeps a lost connection from being made again, and what is left behind.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Reconnecting ends", .serialized)
struct ReconnectingEndTests {
    @Test("refuses to block in onRetry of a lost connection, which would wait for itself")
    func readInside() throws {
        let server = try NumberedServer { _, peer in
            try peer.acceptUpgrade()
            peer.closeConnection()
        }
        defer { server.stop() }
        let holder = Locked<WebSocketClient?>(nil)
        let errors = Locked<[WebSocketError?]>([])
        var configuration = ClientConfiguration()
        configuration.retryConfig = WebSocketRetryConfig(interval: .seconds(60)) { _ in
            let client = holder.withLock { $0 }
            errors.withLock { $0.append(failure { try client?.readMessage() }) }
            try? client?.close()
        }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        holder.withLock { $0 = client }
        defer { holder.withLock { $0 = nil } }
        #expect(failure { try client.readMessage() }?.closure?.initiator == .local)
        #expect(errors.withLock { $0.first }??.description.contains("onRetry") == true)
    }

    @Test("is not begun after a close frame of the server")
    func closeFrame() throws {
        let server = try NumberedServer { _, peer in
            try peer.acceptUpgrade()
            peer.sendFrame(opcode: 8, [3, 233])
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RetryLog()
        let client = try WebSocketClient(server.url(), configuration: log.configuration())
        let error = failure { try client.readMessage() }
        #expect(error?.closure == .init(code: 1001, reason: "", initiator: .peer, isClean: true))
        #expect(failure { try client.writeTextMessage("x") }?.closure?.initiator == .peer)
        #expect(server.count == 1)
        #expect(log.all.isEmpty)
    }

    @Test("is not begun after the peer broke a rule, nor without a configuration")
    func brokenRule() throws {
        let server = try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            if number == 0 { peer.send([0x83, 0]) }
            if number == 0 { peer.waitForEnd() } else { peer.closeConnection() }
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: RetryLog().configuration())
        #expect(failure { try client.readMessage() }?.code == .corruptedFrame)
        let plain = try WebSocketClient(server.url())
        #expect(failure { try plain.readMessage() }?.closure?.initiator == .network)
        #expect(failure { try plain.writeTextMessage("x") }?.closure?.initiator == .network)
        #expect(server.count == 2)
    }

    @Test("gives all that wait the error that ends it, and later calls connectionClosure", arguments: [403, 503])
    func failing(_ status: Int) throws {
        let server = try NumberedServer { number, peer in
            guard number == 0 else { return try peer.refuse(status) }
            try peer.acceptUpgrade()
            peer.sendFrame(opcode: 1, [65])
            peer.sendFrame(opcode: 1, [66])
            _ = try peer.readFrame()
            peer.closeConnection()
        }
        defer { server.stop() }
        let log = RetryLog()
        let client = try WebSocketClient(server.url(), configuration: log.configuration(maxCount: 2))
        try client.writeTextMessage("now")
        #expect(eventually { !client.isOpen })
        let calls = try (0..<4).map { index in
            try Background {
                if index < 2 { try client.writeTextMessage("x") } else { try client.ping() }
            }
        }
        for call in calls {
            let error = failure { try call.value() }
            // One that comes when all is over is told of that.
            #expect(error?.httpResponse?.status.code == status || error?.closure?.code == 1006)
        }
        #expect(log.all.count == (status == 403 ? 1 : 2))
        // What had arrived is read first, even now.
        #expect(try client.readTextMessage() == "A")
        #expect(try client.readTextMessage() == "B")
        for _ in 0..<2 {
            let error = failure { try client.readMessage() }
            #expect(error?.code == .connectionClosure)
            #expect(error?.closure == .init(code: 1006, reason: "", initiator: .network))
            #expect(failure { try client.ping() }?.code == .connectionClosure)
        }
        try client.close()
    }

    /// A server that loses the first connection and answers no other, but tells of being asked.
    private func silentAfterLoss(_ asked: MonotonicSemaphore) throws -> NumberedServer {
        try NumberedServer { number, peer in
            guard number > 0 else {
                try peer.acceptUpgrade()
                return peer.closeConnection()
            }
            asked.signal()
            peer.waitForEnd()
        }
    }

    @Test("is ended by close in the midst of a wait, and of an attempt, for all that wait", arguments: [false, true])
    func close(_ isAttempting: Bool) throws {
        let asked = MonotonicSemaphore()
        let server = try silentAfterLoss(asked)
        defer { server.stop() }
        let log = RetryLog()
        var configuration = log.configuration(
            interval: isAttempting ? .milliseconds(1) : Timing.ages, maxWaitInterval: Timing.ages)
        (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        // A write before the loss is known would be taken.
        #expect(eventually { !client.isOpen })
        let calls = try (0..<6).map { index in
            try Background {
                if index < 3 { try client.writeTextMessage("x") } else { _ = try client.readMessage() }
            }
        }
        try log.next()
        if isAttempting { #expect(asked.wait(until: Deadline(after: Timing.ages))) }
        #expect(eventually { client.inside.waiting == 6 })
        let time = try Timing.of {
            try client.close(statusCode: 3000)
            for call in calls {
                let error = failure { try call.value() }
                #expect(error?.code == .connectionClosure)
                #expect(error?.closure == .init(code: 3000, reason: "", initiator: .local))
            }
        }
        #expect(time < Timing.atOnce, "\(time)")
        #expect(failure { try client.readMessage() }?.closure?.code == 3000)
        expectNoThread()
    }

    @Test("ends at once, with its thread, when the last reference is dropped", arguments: [false, true])
    func dropped(_ isAttempting: Bool) throws {
        let asked = MonotonicSemaphore()
        let server = try silentAfterLoss(asked)
        defer { server.stop() }
        let log = RetryLog()
        var configuration = log.configuration(
            interval: isAttempting ? .milliseconds(1) : Timing.ages, maxWaitInterval: Timing.ages)
        configuration.readTimeout = .milliseconds(50)
        var client: WebSocketClient? = try WebSocketClient(server.url(), configuration: configuration)
        weak let reconnector = client?.reconnector
        // A read that is over before the loss is known would not meet it.
        #expect(eventually { client?.isOpen == false })
        #expect(failure { try client?.readMessage() }?.code == .readTimedOut)
        try log.next()
        if isAttempting { #expect(asked.wait(until: Deadline(after: Timing.ages))) }
        #expect(try ProcessMetrics.threads(named: "lws-reconnect") == 1)
        client = nil
        #expect(eventually(within: Timing.atOnce) { reconnector == nil })
        expectNoThread()
    }

    /// The thread that connects again is gone, though it would have had to wait for ages.
    private func expectNoThread(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            eventually(within: Timing.atOnce) { (try? ProcessMetrics.threads(named: "lws-reconnect")) == 0 },
            sourceLocation: sourceLocation)
    }

    @Test("never leaves a connection open that comes about while the client is closed or dropped")
    func races() throws {
        let open = Locked(0)
        let server = try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            if number % 2 == 0 { return peer.closeConnection() }
            open.withLock { $0 += 1 }
            while let frame = try? peer.readFrame() {
                if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
            }
            open.withLock { $0 -= 1 }
        }
        defer { server.stop() }
        let descriptors = try ProcessMetrics.openDescriptors()
        for round in 0..<60 {
            var configuration = RetryLog().configuration(interval: .microseconds(100))
            configuration.readTimeout = Timing.ages
            let client = try WebSocketClient(server.url(), configuration: configuration)
            let reading = try Background { try client.readMessage() }
            _ = reading.isBlocked(for: .microseconds(round * 30))
            let closing = try Background { try client.close(timeout: Timing.ages) }
            try closing.value(within: Timing.atOnce)
            #expect(failure { try reading.value(within: Timing.atOnce) } != nil)
            if round % 2 == 1 { _ = try? WebSocketClient(server.url(), configuration: ClientConfiguration()) }
        }
        #expect(eventually { open.withLock { $0 } == 0 })
        #expect(eventually { (try? ProcessMetrics.openDescriptors()) ?? .max <= descriptors + 4 })
        expectNoThread()
    }
}
