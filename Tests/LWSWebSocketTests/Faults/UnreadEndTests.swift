// A server that ends while the client does not read.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A server that ends while nobody reads", .serialized)
struct UnreadEndTests {
    /// Sends what the client takes in unread, and, when it may, more of it and a close frame, and ends TCP.
    private func server(
        _ first: Int, more: Int, of size: Int, mayEnd: MonotonicSemaphore, ended: MonotonicSemaphore
    ) throws -> NumberedServer {
        try NumberedServer { number, peer in
            try peer.acceptUpgrade()
            if number > 0 { return peer.waitForEnd() }
            for index in 0..<first + more {
                // libwebsockets 4.4.2 and newer would read what lies behind in the same piece.
                if index == first { _ = mayEnd.wait(until: Deadline(after: Timing.ages)) }
                peer.sendFrame(opcode: 2, [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size))
            }
            peer.sendFrame(opcode: 8, [0x03, 0xe8])
            // Closes when the client has fallen silent, or does not seem to. With pings unread it would be a reset.
            for _ in 0..<50 {
                if peer.isQuiet(for: .milliseconds(300)) { break }
                _ = try peer.readFrame()
            }
            peer.closeConnection()
            ended.signal()
        }
    }

    private func expectEverything(_ total: Int, _ client: WebSocketClient) {
        for index in 0..<total {
            guard let message = try? client.readBinaryMessage() else {
                Issue.record("lost from message \(index) on")
                return
            }
            #expect(message.first == UInt8(truncatingIfNeeded: index))
        }
        let error = failure { try client.readMessage() }
        #expect(error?.closure == .init(code: 1000, reason: "", initiator: .peer, isClean: true))
    }

    private func end(_ client: WebSocketClient, _ mayEnd: MonotonicSemaphore, _ ended: MonotonicSemaphore) {
        #expect(eventually { client.inside.isPaused })
        mayEnd.signal()
        #expect(ended.wait(until: Deadline(after: Timing.ages)))
    }

    @Test("is read to its last message and its close frame, keep-alive or not, and is not connected to again")
    func keepAlive() throws {
        let (mayEnd, ended) = (MonotonicSemaphore(), MonotonicSemaphore())
        let server = try server(32, more: 28, of: 32 << 10, mayEnd: mayEnd, ended: ended)
        defer { server.stop() }
        let log = RetryLog()
        var configuration = log.configuration()
        configuration.readTimeout = Timing.ages
        configuration.pingInterval = .milliseconds(100)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        end(client, mayEnd, ended)
        // Time for pings, of which the first would bring the reset, the second the end.
        _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(300)))
        expectEverything(60, client)
        #expect(log.all.isEmpty)
        #expect(server.count == 1)
    }

    @Test("refuses what is written, and keeps what it had sent")
    func writing() throws {
        let (mayEnd, ended) = (MonotonicSemaphore(), MonotonicSemaphore())
        let (first, more) = (InboundQueue.maxMessages, 10)
        // What the client leaves in its socket is little enough for the system to take it in, and the end behind it.
        let server = try server(first, more: more, of: 1, mayEnd: mayEnd, ended: ended)
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.readTimeout = Timing.ages
        let client = try WebSocketClient(server.url(), configuration: configuration)
        end(client, mayEnd, ended)
        let writes: [() throws -> Void] = [
            { try client.writeTextMessage("x") }, { try client.ping() }, { _ = try client.roundTripTime() },
        ]
        let socket = try #require(try ProcessMetrics.sockets(toPort: server.port).first)
        try #require(eventually { SocketPoll.hasEnded(socket) })
        for write in writes {
            let error = failure(write)
            #expect(error?.code == .connectionClosure)
            #expect(error?.description.contains("waits to be read") == true, "\(error?.description ?? "none")")
        }
        #expect(client.isOpen)
        expectEverything(first + more, client)
    }

    @Test(
        "that resets the connection while a pong waits to leave ends the call that reads, which has all that came before"
    )
    func resetBeforePong() throws {
        let mayEnd = MonotonicSemaphore()
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            _ = mayEnd.wait(until: Deadline(after: Timing.ages))
            peer.send(RawFrame(opcode: 1, payload: Array("last".utf8)).serverBytes)
            peer.reset()
        }
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.readTimeout = Timing.atOnce
        let client = try WebSocketClient(server.url(), configuration: configuration)
        let socket = try #require(try ProcessMetrics.sockets(toPort: server.port).first)
        try client.inside.onLoop { line, held in
            guard let wsi = line.session.wsi, let watched = line.role.reading.watched else { return }
            // As when lws has read a ping. Nobody serves the socket before it has been reset.
            line.role.reading.waitChanged(wsi, held)
            #expect(!watched.wantsToRead)
            mayEnd.signal()
            #expect(eventually { SocketPoll.hasEnded(socket) })
        }
        #expect(try client.readTextMessage() == "last")
        #expect(failure { try client.readMessage() }?.code == .connectionClosure)
    }
}
