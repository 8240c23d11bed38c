// What a client says of its connection's end.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The end of a connection", .serialized)
struct ClosureTests {
    /// Accepts, and answers a close frame or does not.
    private func server(answers: Bool) throws -> RawServer {
        try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            while let frame = try? peer.readFrame() {
                if answers, frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
            }
        }
    }

    @Test("is nothing before it, and tells whether the peer has answered", arguments: [true, false])
    func answered(_ answers: Bool) throws {
        let server = try server(answers: answers)
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        #expect(client.closure == nil)
        try client.close(statusCode: 3000, reason: "done", timeout: answers ? Timing.ages : .milliseconds(10))
        #expect(client.closure == .init(code: 3000, reason: "done", initiator: .local, isClean: answers))
    }

    @Test("is told over TLS as well")
    func secure() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: SecureFaults.configuration())
        try client.close()
        #expect(client.closure == .init(code: 1000, reason: "", initiator: .local, isClean: true))
    }

    @Test("is the peer's close frame where that came first")
    func byPeer() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.sendFrame(opcode: 8, [3, 233] + Array("going".utf8))
            peer.waitForEnd()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        #expect(failure { try client.readMessage() }?.code == .connectionClosure)
        #expect(eventually { client.closure != nil })
        #expect(client.closure == .init(code: 1001, reason: "going", initiator: .peer, isClean: true))
        try client.close()
        #expect(client.closure?.initiator == .peer)
    }

    @Test("is 1006 where the connection was lost")
    func lost() throws {
        let server = try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.closeConnection()
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url())
        #expect(failure { try client.readMessage() }?.code == .connectionClosure)
        #expect(client.closure == .init(code: 1006, reason: "", initiator: .network, isClean: false))
    }

    @Test("is nothing while a lost connection is made again, and after that its last one's")
    func again() throws {
        let mayConnect = MonotonicSemaphore()
        let server = try NumberedServer { number, peer in
            if number == 1 { _ = mayConnect.wait(until: Deadline(after: Timing.ages)) }
            try peer.acceptUpgrade()
            if number == 0 { return peer.closeConnection() }
            while let frame = try? peer.readFrame() {
                if frame.opcode == 8 { peer.sendFrame(opcode: 8, frame.payload) }
            }
        }
        defer { server.stop() }
        let client = try WebSocketClient(server.url(), configuration: RetryLog().configuration())
        let reading = try Background { try client.readMessage() }
        #expect(eventually { server.count == 2 })
        #expect(client.closure == nil)
        mayConnect.signal()
        #expect(eventually { client.isOpen })
        #expect(client.closure == nil)
        try client.close()
        #expect(failure { try reading.value() }?.code == .connectionClosure)
        #expect(client.closure == .init(code: 1000, reason: "", initiator: .local, isClean: true))
    }

    @Test("is the application's own where there was no connection, and nothing where there will be none")
    func unconnected() throws {
        let client = try WebSocketClient(unconnected: "ws://localhost/")
        #expect(client.closure == nil)
        try client.close(statusCode: 4000, reason: "never mind")
        #expect(client.closure == .init(code: 4000, reason: "never mind", initiator: .local))
        let refused = try WebSocketClient(unconnected: "ws://127.0.0.1:\(FreePort.find())/")
        #expect(failure { try refused.connect() }?.code == .connection)
        #expect(refused.closure == nil)
    }
}
