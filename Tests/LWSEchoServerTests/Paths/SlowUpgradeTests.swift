// The upgrade that takes its time.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("/slow-upgrade", .serialized)
struct SlowUpgradeTests {
    private let server: EchoServer

    init() throws {
        server = try EchoServer()
    }

    @Test("answers not before its time, then echoes; others are served meanwhile")
    func waits() throws {
        let delay = Duration.milliseconds(400)
        let start = ContinuousClock.now
        let slow = try RawClient(port: server.port)
        slow.sendUpgrade("/slow-upgrade/400")
        let other = try WebSocketClient(server.url())
        for index in 0..<20 {
            try other.writeTextMessage("\(index)")
            #expect(try other.readTextMessage() == "\(index)")
        }
        try other.close()
        #expect(ContinuousClock.now - start < delay, "others had to wait")
        #expect(slow.connection.isQuiet(for: .milliseconds(50)))
        _ = try slow.readUpgrade()
        let passed = ContinuousClock.now - start
        #expect(passed >= delay && passed < delay + .seconds(2))
        slow.send(.text("at last"), .ping("p"))
        #expect(try slow.readFrame() == .text("at last"))
        #expect(try slow.readFrame() == .pong("p"))
        slow.send(.close(1000))
        #expect(try slow.readFrame() == .close(1000))
    }

    @Test("of 0 ms answers at once")
    func zero() throws {
        let client = try server.rawClient("/slow-upgrade/0")
        client.send(.binary([1]))
        #expect(try client.readFrame() == .binary([1]))
    }

    @Test("is a timeout for a client of the library that cannot wait")
    func timesOut() throws {
        var configuration = ClientConfiguration()
        configuration.handShakeTimeout = .milliseconds(50)
        let error = #expect(throws: WebSocketError.self) {
            try WebSocketClient(server.url("/slow-upgrade/10000"), configuration: configuration)
        }
        #expect(error?.code == .handshakeTimedOut)
    }

    @Test("keeps nothing of clients that leave before their time")
    func leaving() throws {
        // One of each first, so that what the process sets up once is there.
        _ = try server.rawClient("/slow-upgrade/1")
        #expect(eventually(within: .seconds(5)) { server.connectionCount == 0 })
        let before = try Usage()
        for index in 0..<50 {
            let client = try RawClient(port: server.port)
            client.sendUpgrade("/slow-upgrade/300")
            if index % 2 == 0 { client.connection.reset() }
        }
        try before.expectBack()
        #expect(eventually(within: .seconds(5)) { server.connectionCount == 0 })
    }

    @Test("does not hold up the server's end")
    func stop() throws {
        let before = try Usage()
        do {
            let server = try EchoServer()
            let clients = try (0..<10).map { _ in try RawClient(port: server.port) }
            for client in clients { client.sendUpgrade("/slow-upgrade/600000") }
            #expect(clients.allSatisfy { $0.connection.isQuiet(for: .milliseconds(20)) })
            let start = ContinuousClock.now
            server.stop()
            #expect(ContinuousClock.now - start < .seconds(1))
            for client in clients { #expect(client.connection.readUntilEnd().isEmpty) }
        }
        try before.expectBack()
    }
}
