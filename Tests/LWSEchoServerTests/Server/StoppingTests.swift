// The end of a server.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("Stopping a server", .serialized)
struct StoppingTests {
    @Test("closes open connections with 1001, and the port is closed")
    func clients() throws {
        let stop = try Promptness(without: farewell) {
            let server = try EchoServer()
            let clients = try (0..<20).map { _ in try WebSocketClient(server.url()) }
            for client in clients { try client.writeTextMessage("hello") }
            for client in clients { #expect(try client.readTextMessage() == "hello") }
            let time = Timing.of { server.stop() }
            for client in clients {
                let error = #expect(throws: WebSocketError.self) { try client.readMessage() }
                #expect(error?.closure?.code == 1001)
                #expect(error?.closure?.initiator == .peer)
            }
            #expect(server.connectionCount == 0)
            #expect(throws: PeerError.self) { try RawClient(port: server.port) }
            return time
        }
        #expect(stop.isPrompt, "all clients answer the close: \(stop)")
    }

    @Test("tells clients that do not answer, waits a second for them, and ends their connections")
    func unanswered() throws {
        let kept = try Punctuality(
            of: farewell,
            attempt: {
                let server = try EchoServer()
                let clients = try (0..<3).map { _ in try server.rawClient() }
                clients[1].send(.text("begun", fin: false))
                #expect(try clients[1].readFrame() == .text("begun", fin: false))
                let time = Timing.of { server.stop() }
                for client in clients {
                    #expect(try client.readFrame().closeCode == 1001)
                    #expect(client.connection.readUntilEnd().isEmpty)
                }
                #expect(server.connectionCount == 0)
                return time
            })
        #expect(kept.isKept, "\(kept)")
    }

    @Test("a second time, or from several threads at once, does nothing")
    func twice() throws {
        let server = try EchoServer()
        let client = try WebSocketClient(server.url())
        let others = try (0..<4).map { _ in try Background { server.stop() } }
        server.stop()
        for other in others { try other.value() }
        server.stop()
        #expect(throws: WebSocketError.self) { try client.readMessage() }
    }

    @Test("happens by itself when nobody refers to it any longer")
    func dropped() throws {
        let before = try Usage()
        let client: RawClient
        do {
            let server = try EchoServer()
            client = try server.rawClient("/drop/5")
            client.send(.close(1000))
            #expect(try client.readFrame() == .close(1000))
        }
        #expect(client.connection.readUntilEnd().isEmpty)
        client.connection.closeConnection()
        try before.expectBack()
    }

    @Test("in the midst of /push and of an echo that nobody reads ends in time")
    func busy() throws {
        let server = try EchoServer()
        let pushed = try server.rawClient("/push/1000000/100000")
        #expect(try pushed.readFrame().payload.count == 100_000)
        let echoed = try server.rawClient()
        let sender = try Background {
            while echoed.connection.send(RawFrame.binary(pattern(50_000)).clientBytes()) {}
        }
        #expect(sender.isBlocked(for: .milliseconds(200)))
        // A million messages, and a client that never reads: without a limit it would be for ever.
        let time = Timing.of { server.stop() }
        #expect(time < Timing.atOnce, "\(time)")
        try sender.value()
    }

    @Test("Several servers in one process do not know of each other")
    func several() throws {
        let before = try Usage()
        let servers = try (0..<5).map { index in try EchoServer(.init(subProtocols: ["number-\(index)"])) }
        #expect(Set(servers.map(\.port)).count == 5)
        for (index, server) in servers.enumerated() {
            let headers = ["Sec-WebSocket-Protocol: number-\(index)"]
            let client = try server.rawClient(headers: headers)
            #expect(try servers[(index + 1) % 5].refusal(of: "/echo", headers: headers).status == 400)
            client.send(.text("\(index)"))
            #expect(try client.readFrame() == .text("\(index)"))
            #expect(servers.map(\.connectionCount).reduce(0, +) == 1)
            client.send(.close(1000))
            #expect(try client.readFrame() == .close(1000))
            #expect(eventually { server.connectionCount == 0 })
        }
        servers[0].stop()
        let client = try servers[1].rawClient()
        client.send(.text("still there"))
        #expect(try client.readFrame() == .text("still there"))
        client.send(.close(1000))
        for server in servers { server.stop() }
        client.connection.closeConnection()
        try before.expectBack()
    }
}
