// Ten thousand clients that are awaited in one process.

#if os(Linux)
    import Foundation
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("Ten thousand clients", .serialized)
    struct ManyClientsTests {
        @Test("are served by one thread, each awaited for a message and sent another", .timeLimit(.minutes(5)))
        func many() async throws {
            try await OpenFiles.withRoom(for: Sanitizer.isActive ? 500 : 10_000) { try await serve($0) }
        }

        private func serve(_ count: Int) async throws {
            let server = try EchoProcess()
            let loop = WebSocketLoop()
            // What the first one costs is not a client's.
            let warm = try await WebSocketClient.connect(server.url(), loop: loop)
            let before = try ProcessMetrics.residentMemory()
            let start = ContinuousClock.now
            let clients = try await connect(count, to: server.url(), loop)
            let connected = ContinuousClock.now
            let idle = try ProcessMetrics.residentMemory()
            let waiting = clients.map { client in Task { try await client.receive() } }
            #expect(await becomes(within: .seconds(60)) { clients.allSatisfy { $0.readers == 1 } })
            let awaited = try ProcessMetrics.residentMemory()
            let threads = try ProcessMetrics.threads()
            #expect(try ProcessMetrics.threads(named: "lws-client") >= 1 && threads < 64, "\(threads)")
            let sending = ContinuousClock.now
            for (number, client) in clients.enumerated() { try await client.send("\(number)") }
            for (number, task) in waiting.enumerated() { #expect(try await task.value == .text("\(number)")) }
            let answered = ContinuousClock.now
            #expect(try await warm.echoesSuspended())
            // Reported, not only checked: the number is what an operator plans with.
            print(
                "\(count) clients on one thread, \(threads) threads in the process: connected in "
                    + "\(connected - start), \((idle - before) / count) bytes each, "
                    + "\((awaited - before) / count) with a task that receives; a message there and back for "
                    + "each in \(answered - sending)")
            #expect(Sanitizer.isActive || (awaited - before) / count < 32 << 10)
            await withTaskGroup(of: Void.self) { group in
                for client in clients { group.addTask { _ = await asyncFailure { try await client.close() } } }
            }
            #expect(clients.allSatisfy { !$0.isOpen })
        }

        /// So many at a time as a listening socket's queue holds for sure.
        private func connect(_ count: Int, to url: String, _ loop: WebSocketLoop) async throws -> [WebSocketClient] {
            var configuration = ClientConfiguration()
            configuration.webSocketCompressionEnabled = false
            return try await withThrowingTaskGroup(of: WebSocketClient.self) { group in
                var clients: [WebSocketClient] = []
                for number in 0..<count {
                    if number >= 64, let client = try await group.next() { clients.append(client) }
                    group.addTask { [configuration] in
                        try await WebSocketClient.connect(url, configuration: configuration, loop: loop)
                    }
                }
                for try await client in group { clients.append(client) }
                return clients
            }
        }
    }
#endif
