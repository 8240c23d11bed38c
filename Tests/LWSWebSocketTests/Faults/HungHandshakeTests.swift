// More handshakes that hang than libwebsockets would allow by itself, or anybody has counted on.

#if os(Linux)
    import LWSEchoServer
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("A server that says nothing", .serialized)
    struct HungHandshakeTests {
        @Test(
            "keeps nobody else on the loop from connecting, with 1,200 handshakes under way", .timeLimit(.minutes(5)),
            arguments: [false, true])
        func many(_ isSecure: Bool) async throws {
            try await OpenFiles.withRoom(for: 1200) { count in
                try #require(count == 1200, "the system allows too few open files")
                let silent = try UnattendedServer(room: 2000)
                let echo = try isSecure ? SecureFaults.echoServer() : EchoServer()
                defer { echo.stop() }
                let loop = WebSocketLoop()
                var configuration = ClientConfiguration()
                configuration.handShakeTimeout = Timing.ages
                if isSecure { try SecureFaults.trust(&configuration) }
                let url = "\(isSecure ? "wss" : "ws")://127.0.0.1:\(silent.port)/"
                let hanging = (0..<count).map { _ in
                    Task { [configuration] in
                        await asyncFailure {
                            try await WebSocketClient.connect(
                                url, configuration: configuration, loop: loop)
                        }
                    }
                }
                #expect(try await becomes { try ProcessMetrics.sockets(toPort: silent.port).count >= count })
                for _ in 0..<3 {
                    let client = try await WebSocketClient.connect(
                        echo.url(), configuration: configuration, loop: loop)
                    try await client.send("served")
                    #expect(try await client.receive() == .text("served"))
                    try await client.close()
                }
                for task in hanging { task.cancel() }
                for task in hanging { #expect(await task.value?.code == .cancelled) }
            }
        }
    }
#endif
