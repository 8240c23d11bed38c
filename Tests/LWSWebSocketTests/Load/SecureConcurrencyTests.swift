// Many threads that connect over TLS at once.

import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Concurrency over TLS", .serialized)
struct SecureConcurrencyTests {
    private struct WrongEcho: Error {}

    /// Clients that connect at the same time, each on a thread of its own, and have got an echo.
    private func connect(
        _ count: Int, to url: String, on loop: (Int) -> WebSocketLoop,
        _ configuration: (Int) throws -> ClientConfiguration
    ) throws -> [WebSocketClient] {
        let start = MonotonicSemaphore()
        let connecting = try (0..<count).map { index in
            let (configuration, loop) = (try configuration(index), loop(index))
            return try Background { () -> WebSocketClient in
                _ = start.wait(until: Deadline(after: Timing.ages))
                let client = try WebSocketClient(url, configuration: configuration, loop: loop)
                try client.writeTextMessage("client \(index)")
                guard try client.readTextMessage() == "client \(index)" else { throw WrongEcho() }
                return client
            }
        }
        for _ in 0..<count { start.signal() }
        return try connecting.map { try $0.value(within: .seconds(300)) }
    }

    private func expectNoContexts() {
        #expect(eventually { TLSContextPool.shared.count == 0 })
    }

    @Test("with equal settings they share one context, on several loops too")
    func equal() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        expectNoContexts()
        let loops = (0..<4).map { _ in WebSocketLoop() }
        for _ in 0..<3 {
            let clients = try connect(32, to: server.url(), on: { loops[$0 % 4] }) { _ in
                try SecureFaults.configuration { $0.secureSocket?.shareSession = true }
            }
            let openOnes = clients.filter(\.isOpen)
            #expect(openOnes.count == 32)
            #expect(TLSContextPool.shared.count == 1)
            let contexts = clients.map(\.inside.tlsContext)
            #expect(Set(contexts).count == 1)
            for client in clients { try client.close() }
        }
        expectNoContexts()
    }

    @Test("with different settings they have one context each")
    func different() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        expectNoContexts()
        try exchange(server)
        expectNoContexts()
    }

    private func exchange(_ server: EchoServer) throws {
        let clients = try connect(32, to: server.url(), on: { _ in .shared }) { index in
            try SecureFaults.configuration { $0.secureSocket?.sessionTimeout = .seconds(100 + index % 8) }
        }
        #expect(TLSContextPool.shared.count == 8)
        let contexts = clients.map(\.inside.tlsContext)
        for (index, context) in contexts.enumerated() { #expect(context == contexts[index % 8]) }
        #expect(Set(contexts).count == 8)
        for client in clients { try client.close() }
    }

    @Test("they come and go without end, some trusted and some not")
    func comingAndGoing() throws {
        let (good, bad) = (try SecureFaults.echoServer(), try SecureFaults.echoServer(leaf: .expired))
        defer {
            good.stop()
            bad.stop()
        }
        let threads = try (0..<8).map { thread in
            try Background {
                for round in 0..<20 {
                    let configuration = try SecureFaults.configuration {
                        $0.secureSocket?.shareSession = round % 3 > 0
                    }
                    guard (thread + round) % 4 > 0 else {
                        let error = failure { try WebSocketClient(bad.url(), configuration: configuration) }
                        #expect(error?.code == .ssl && error?.description.contains("has expired") == true)
                        continue
                    }
                    let client = try WebSocketClient(good.url(), configuration: configuration)
                    try client.writeTextMessage("\(thread) \(round)")
                    #expect(try client.readTextMessage() == "\(thread) \(round)")
                    if round % 2 == 0 { try client.close() }
                }
            }
        }
        for thread in threads { try thread.value(within: .seconds(300)) }
        expectNoContexts()
    }

    @Test("8 writers and 8 readers on one client: 4,000 messages, none lost, doubled or mixed")
    func writersAndReaders() throws {
        let server = try SecureFaults.echoServer()
        defer { server.stop() }
        let configuration = try SecureFaults.configuration { $0.maxFrameSize = 100 }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.exchangeByThreads(500)
        try client.close()
    }
}
