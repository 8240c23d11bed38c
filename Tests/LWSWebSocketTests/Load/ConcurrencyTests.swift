// Many threads on one client, and many clients on one loop.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Concurrency", .serialized)
struct ConcurrencyTests {
    @Test("8 writers and 8 readers on one client: 10,000 messages, none lost, doubled or mixed")
    func writersAndReaders() throws {
        let server = try EchoServer()
        var configuration = ClientConfiguration()
        configuration.maxFrameSize = 100
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.exchangeByThreads(1250)
        try client.close()
    }

    @Test("the messages of one writer arrive in the order in which they were written")
    func order() throws {
        let server = try EchoServer()
        let client = try WebSocketClient(server.url())
        let writing = try Background { for index in 0..<2000 { try client.writeTextMessage("\(index)") } }
        for index in 0..<2000 {
            let message = try client.readTextMessage()
            if message != "\(index)" { Issue.record("\(message) instead of \(index)") }
        }
        try writing.value()
    }

    @Test("200 clients at once on one loop, each with its own echo")
    func manyClients() throws {
        let server = try EchoServer()
        let clients = try (0..<200).map { index in
            try Background { () -> WebSocketClient in
                let client = try WebSocketClient(server.url())
                try client.writeTextMessage("client \(index)")
                guard try client.readTextMessage() == "client \(index)" else { throw WrongEcho() }
                return client
            }
        }.map { try $0.value(within: .seconds(300)) }
        #expect(clients.allSatisfy { $0.isOpen })
        #expect(eventually { server.connectionCount == 200 })
        for (index, client) in clients.enumerated() {
            try client.writeBinaryMessage([UInt8](repeating: UInt8(index), count: 1000))
        }
        for (index, client) in clients.enumerated() {
            #expect(try client.readBinaryMessage() == [UInt8](repeating: UInt8(index), count: 1000))
        }
        let closing = try clients.map { client in try Background { try client.close() } }
        for call in closing { try call.value() }
        #expect(eventually { server.connectionCount == 0 })
    }

    @Test("everything at once: reads, writes, pings, timeouts and a close, from many threads")
    func everything() throws {
        let server = try EchoServer()
        for _ in 0..<20 {
            var configuration = ClientConfiguration()
            configuration.readTimeout = .milliseconds(1)
            let client = try WebSocketClient(server.url(), configuration: configuration)
            let callers = try (0..<8).map { caller in
                try Background {
                    while client.isOpen {
                        switch caller % 4 {
                        case 0: _ = try? client.readMessage()
                        case 1: try? client.writeTextMessage("text")
                        case 2: try? client.ping([1])
                        default: _ = try? client.readBinaryMessage()
                        }
                    }
                }
            }
            _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(20)))
            try client.close(timeout: Timing.ages)
            for caller in callers { try caller.value() }
        }
    }
}

private struct WrongEcho: Error {}
