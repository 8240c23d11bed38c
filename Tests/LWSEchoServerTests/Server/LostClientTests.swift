// Clients that are gone while the server reads nothing of theirs.

import LWSEchoServer
import TestSupport
import Testing

@Suite("A client that resets its connection", .serialized)
struct LostClientTests {
    @Test("is let go of although there is something left of it that nobody has read", arguments: [1, 40])
    func unread(frames: Int) throws {
        let server = try EchoServer()
        let client = try RawClient(port: server.port)
        // In one piece, so that lws reads what follows the head together with it.
        let rest = (0..<frames).flatMap { _ in RawFrame.binary(pattern(100)).clientBytes() }
        client.sendUpgrade("/silent", followedBy: rest)
        _ = try client.connection.readRequestHead()
        #expect(eventually { server.connectionCount == 1 })
        client.connection.reset()
        #expect(eventually { server.connectionCount == 0 })
        // And the server serves on.
        let next = try server.rawClient()
        next.send(.text("still here"))
        #expect(try next.readFrame().payload == Array("still here".utf8))
    }
}
