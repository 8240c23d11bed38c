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
        let waiting = try RawClient(port: server.port)
        waiting.sendUpgrade("/slow-upgrade/600000")
        #expect(waiting.connection.isQuiet(for: .milliseconds(50)))
        let kept = try Punctuality(
            of: .milliseconds(400),
            attempt: {
                let slow = try RawClient(port: server.port)
                let time = try Timing.of {
                    slow.sendUpgrade("/slow-upgrade/400")
                    _ = try slow.readUpgrade()
                }
                slow.send(.text("at last"), .ping("p"))
                #expect(try slow.readFrame() == .text("at last"))
                #expect(try slow.readFrame() == .pong("p"))
                slow.send(.close(1000))
                #expect(try slow.readFrame() == .close(1000))
                return time
            })
        #expect(kept.isKept, "\(kept)")
        let time = try Timing.of {
            let other = try WebSocketClient(server.url())
            for index in 0..<20 {
                try other.writeTextMessage("\(index)")
                #expect(try other.readTextMessage() == "\(index)")
            }
            try other.close()
        }
        // Of ten minutes.
        #expect(time < Timing.ages, "others had to wait: \(time)")
        #expect(waiting.connection.isQuiet(for: .milliseconds(50)))
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
        #expect(eventually { server.connectionCount == 0 })
        let before = try Usage()
        for index in 0..<50 {
            let client = try RawClient(port: server.port)
            client.sendUpgrade("/slow-upgrade/300")
            if index % 2 == 0 { client.connection.reset() }
        }
        try before.expectBack()
        #expect(eventually { server.connectionCount == 0 })
    }

    @Test("does not hold up the server's end")
    func stop() throws {
        let before = try Usage()
        do {
            let stop = try Promptness(without: farewell) {
                let server = try EchoServer()
                let clients = try (0..<10).map { _ in try RawClient(port: server.port) }
                for client in clients { client.sendUpgrade("/slow-upgrade/600000") }
                #expect(clients.allSatisfy { $0.connection.isQuiet(for: .milliseconds(20)) })
                let time = Timing.of { server.stop() }
                for client in clients { #expect(client.connection.readUntilEnd().isEmpty) }
                return time
            }
            #expect(stop.isPrompt, "\(stop)")
        }
        try before.expectBack()
    }
}
