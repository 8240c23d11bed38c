// What goes on over a lost connection that is made again.

import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Reconnecting", .serialized)
struct ReconnectingTests {
    @Test("lets calls keep to their own time limits; later ones succeed")
    func timeouts() throws {
        let mayAccept = Locked(false)
        let server = try NumberedServer { number, peer in
            if number > 0, !mayAccept.withLock({ $0 }) { return try peer.refuse(503) }
            try peer.acceptUpgrade()
            if number == 0 { return peer.closeConnection() }
            while let frame = try? peer.readFrame() { peer.sendFrame(opcode: frame.opcode, frame.payload) }
        }
        defer { server.stop() }
        var configuration = RetryLog().configuration()
        let limit = Duration.milliseconds(200)
        (configuration.readTimeout, configuration.writeTimeout) = (limit, limit)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        // A call that is over before the loss is known would not meet it.
        #expect(eventually { !client.isOpen })
        let reading = Punctuality(of: limit) { () -> Void in
            let error = failure { try client.readMessage() }
            #expect(error?.code == .readTimedOut)
            #expect(error?.description.contains("being made again") == true)
        }
        #expect(reading.isKept, "\(reading)")
        let writing = Punctuality(of: limit) { () -> Void in
            let error = failure { try client.writeTextMessage("x") }
            #expect(error?.code == .writeTimedOut)
            #expect(error?.closure == nil)
            #expect(error?.description.contains("nothing of it was") == true)
        }
        #expect(writing.isKept, "\(writing)")
        mayAccept.withLock { $0 = true }
        #expect(eventually { client.isOpen })
        // As the client's own calls, but for the limits, within which a busy machine may not manage that.
        try client.inside.write(.text("y"), timeout: Timing.ages)
        let echo = try client.inside.read(.only(.text), timeout: Timing.ages)
        #expect(echo == .text("y"), "what was given up was not sent")
        try client.close()
    }

    @Test("follows a peer that does not answer pings any more")
    func keepAlive() throws {
        let server = try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            if number == 0 { return peer.waitForEnd() }
            peer.sendFrame(opcode: 1, Array("another".utf8))
            while let frame = try? peer.readFrame() {
                peer.sendFrame(opcode: frame.opcode == 9 ? 10 : frame.opcode, frame.payload)
            }
        }
        defer { server.stop() }
        let log = RetryLog()
        var configuration = log.configuration()
        configuration.pingInterval = .milliseconds(100)
        configuration.pongTimeout = .milliseconds(300)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readTextMessage() == "another")
        let losses = log.all
        #expect(!losses.isEmpty)
        // On a busy machine the other one's answer may be too late as well; each is followed at the first attempt.
        for loss in losses {
            #expect(loss.error.description.contains("did not answer a ping within"))
            #expect(loss.attempt == 0)
        }
        try client.close()
    }

    @Test("is not measured by roundTripTime, which says that the connection was lost")
    func roundTrip() throws {
        let server = try NumberedServer { number, peer in
            if number > 0 {
                _ = try peer.readRequestHead()
                return peer.hold()
            }
            try peer.acceptUpgrade()
            peer.closeConnection()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: RetryLog().configuration())
        let reading = try Background { try client.readTextMessage() }
        #expect(eventually { server.count == 2 })
        let error = failure { try client.roundTripTime() }
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure?.initiator == .network)
        try client.close()
        #expect(failure { try reading.value() }?.code == .connectionClosure)
    }

    @Test("reads what had arrived before the loss first, though a writer has met the loss before")
    func leftovers() throws {
        let server = try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            peer.sendFrame(opcode: 1, [UInt8(48 + number)])
            peer.sendFrame(opcode: 1, [UInt8(65 + number)])
            if number == 0 { return peer.closeConnection() }
            _ = try peer.readFrame()
            peer.sendFrame(opcode: 1, [33])
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: RetryLog().configuration())
        #expect(eventually { !client.isOpen })
        try client.writeTextMessage("x")
        #expect(try (0..<5).map { _ in try client.readTextMessage() } == ["0", "A", "1", "B", "!"])
    }

    @Test("serves readers in the order in which they came, over a loss")
    func order() throws {
        let mayAccept = MonotonicSemaphore()
        let server = try NumberedServer { number, peer in
            if number > 0 { _ = mayAccept.wait(until: Deadline(after: Timing.ages)) }
            try peer.acceptUpgrade()
            if number == 0 {
                _ = try peer.readFrame()
                return peer.closeConnection()
            }
            for index in 0..<8 { peer.sendFrame(opcode: 1, [UInt8(48 + index)]) }
            peer.waitForEnd()
        }
        defer { server.stop() }
        let log = RetryLog()
        var configuration = log.configuration()
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        var readers: [Background<String>] = []
        for index in 0..<8 {
            if index == 4 {
                try client.writeTextMessage("go")
                try log.next()
                // All that waited have met the loss.
                #expect(eventually { client.inside.waiting == 4 })
            }
            readers.append(try Background { try client.readTextMessage() })
            let waiting = index + 1
            #expect(
                eventually { client.inside.lastTicket >= waiting }
                    && readers[index].isBlocked(for: .milliseconds(5)))
        }
        mayAccept.signal()
        #expect(try readers.map { try $0.value() } == (0..<8).map(String.init))
    }

    @Test("keeps the queue of unread messages bounded over many losses")
    func bounded() throws {
        let size = 64 << 10
        let server = try NumberedServer { _, peer in
            try peer.acceptUpgrade()
            for _ in 0..<40 where peer.sendFrame(opcode: 2, [UInt8](repeating: 7, count: size)) {}
            _ = try peer.readFrame()
            peer.reset()
        }
        defer { server.stop() }
        let client = try WebSocketClient(
            server.url(), configuration: RetryLog().configuration(interval: .milliseconds(1)))
        #expect(eventually { client.inside.isPaused })
        for round in 0..<10 {
            try client.writeTextMessage("\(round)")
            #expect(eventually { !client.isOpen })
        }
        var count = 0
        while client.inside.takesMessage() { count += 1 }
        #expect(count >= 16 && count * size <= InboundQueue.maxBytes + 10 * size, "\(count)")
        #expect(count <= 18, "\(count)")
    }

    @Test("does not send a message again of which a part has left, and says so")
    func partial() throws {
        let received = Locked<[Int]>([])
        let server = try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            if number == 0 {
                _ = try peer.read(100_000)
                return peer.reset()
            }
            while let frame = try? peer.readFrame() {
                received.withLock { $0.append(frame.payload.count) }
                peer.sendFrame(opcode: frame.opcode, Array(frame.payload.prefix(1)))
            }
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: RetryLog().configuration())
        let writing = try Background {
            try client.writeBinaryMessage([UInt8](repeating: 7, count: StallingServer.tooMuch))
        }
        let error = failure { try writing.value() }
        #expect(error?.code == .connectionClosure)
        #expect(error?.closure?.initiator == .network)
        #expect(error?.isRetriable == false)
        #expect(error?.description.contains("may have arrived") == true)
        try client.writeBinaryMessage([9])
        #expect(try client.readBinaryMessage() == [9])
        #expect(received.withLock { $0 } == [1])
    }
}
