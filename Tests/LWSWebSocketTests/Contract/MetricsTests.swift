// What clients report to swift-metrics.

#if Metrics
    import CoreMetrics
    import LWSEchoServer
    import LWSServiceLoop
    import MetricsTestKit
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("Metrics of clients")
    struct MetricsTests {
        private let metrics = ReportedMetrics()

        @Test("count connections, and messages with their bytes, each way", arguments: [false, true])
        func traffic(isCompressed: Bool) throws {
            let server = try EchoServer()
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.webSocketCompressionEnabled = isCompressed
            let client = try metrics.client(server.url(), configuration)
            #expect(metrics.count("connects") == 1 && metrics.connections == 1)
            #expect(metrics.times("connect.duration").count == 1)
            #expect(metrics.times("connect.duration").allSatisfy { $0 > 0 })
            try client.exchange("hello")
            try client.writeBinaryMessage([UInt8](repeating: 7, count: 1000))
            #expect(try client.readBinaryMessage().count == 1000)
            try client.writeMessages([.text("one"), .text(""), .binary([1, 2])])
            for _ in 0..<3 { _ = try client.readMessage() }
            try client.ping()
            // What leaves on another thread wakes the writer, and then is counted.
            #expect(eventually { metrics.traffic("sent") == [5, 1010] && metrics.queued("unsent") == 0 })
            #expect(metrics.traffic("received") == [5, 1010])
            #expect(eventually { metrics.queued("unread") == 0 })
            try client.close()
            #expect(metrics.connections == 0)
            #expect(metrics.count("closures", [("initiator", "local")]) == 1 && metrics.count("closures") == 1)
            #expect(metrics.count("connect.failures") == 0)
        }

        @Test("are the same for suspended callers, over TLS")
        func suspended() async throws {
            let server = try SettingsFixture.echoServer(.good)
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.secureSocket = ClientSecureSocket()
            configuration.secureSocket?.enable = false
            let client = try withMetricsFactory(metrics.factory) { () throws(WebSocketError) in
                try WebSocketClient(unconnected: server.url(), configuration: configuration)
            }
            try await client.connect()
            try await client.send("hello")
            #expect(try await client.receive() == .text("hello"))
            #expect(await becomes { metrics.traffic("sent") == [1, 5] && metrics.traffic("received") == [1, 5] })
            #expect(metrics.count("connects") == 1 && metrics.connections == 1)
            try await client.close()
            #expect(await becomes { metrics.connections == 0 })
        }

        @Test("count attempts that fail, by the error's code")
        func failures() throws {
            let server = try EchoServer()
            defer { server.stop() }
            let free = try FreePort.find()
            #expect(failure { try metrics.client(server.url("/refuse/403")) }?.code == .invalidHandshake)
            #expect(failure { try metrics.client("ws://127.0.0.1:\(free)") }?.code == .connection)
            #expect(failure { try metrics.client("ws://127.0.0.1:\(free)") }?.code == .connection)
            #expect(metrics.count("connect.failures", [("error.type", "invalidHandshake")]) == 1)
            #expect(metrics.count("connect.failures", [("error.type", "connection")]) == 2)
            #expect(metrics.count("connect.failures") == 3 && metrics.count("connects") == 0)
            #expect(metrics.connections == 0 && metrics.count("closures") == 0)
        }

        @Test("do not count what the application gives up as a failure")
        func givenUp() throws {
            let server = try NumberedServer.silent()
            defer { server.stop() }
            let client = try withMetricsFactory(metrics.factory) { try WebSocketClient(unconnected: server.url()) }
            let connecting = try Background { failure { try client.connect() } }
            #expect(eventually { server.count == 1 })
            try client.close()
            #expect(try connecting.value()?.code == .connectionClosure)
            #expect(metrics.count("connect.failures") == 0 && metrics.count("closures") == 0)
        }

        @Test("tell how long round trips take, of keep-alive pings as well")
        func roundTrips() throws {
            let server = try EchoServer()
            defer { server.stop() }
            var configuration = ClientConfiguration()
            let client = try metrics.client(server.url(), configuration)
            let time = try client.roundTripTime()
            #expect(eventually { metrics.times("round_trip.duration").count == 1 })
            #expect(metrics.times("round_trip.duration").map { Duration.nanoseconds($0) } == [time])
            configuration.pingInterval = .milliseconds(10)
            let kept = try metrics.client(server.url(), configuration)
            #expect(eventually { metrics.times("round_trip.duration").count > 2 })
            #expect(metrics.times("round_trip.duration").allSatisfy { $0 > 0 })
            withExtendedLifetime(kept) {}
        }

        @Test("tell how many messages nobody has read")
        func unread() throws {
            let server = try EchoServer()
            defer { server.stop() }
            var client: WebSocketClient? = try metrics.client(server.url("/push/5/10"))
            #expect(eventually { metrics.queued("unread") == 5 })
            _ = try client?.readMessage()
            #expect(eventually { metrics.queued("unread") == 4 })
            client = nil
            #expect(eventually { metrics.queued("unread") == 0 })
            #expect(metrics.traffic("received") == [5, 50])
        }

        @Test("tell how many messages the peer has not taken")
        func unsent() throws {
            let done = MonotonicSemaphore()
            let server = try RawServer { peer in
                _ = try? peer.acceptUpgrade()
                _ = done.wait(until: Deadline(after: Timing.ages))
                peer.closeConnection()
            }
            defer { server.stop() }
            let client = try metrics.client(server.url())
            let message = [UInt8](repeating: 0, count: 16 << 20)
            let writers = try (0..<3).map { _ in try Background { failure { try client.writeBinaryMessage(message) } }
            }
            #expect(eventually { metrics.queued("unsent") == 3 })
            done.signal()
            for writer in writers { #expect(try writer.value() != nil) }
            #expect(eventually { metrics.queued("unsent") == 0 } && metrics.traffic("sent") == [0, 0])
            #expect(eventually { metrics.count("closures", [("initiator", "network")]) == 1 })
        }

        @Test("follow a client to its next connection, with what it has not read")
        func reconnecting() throws {
            let server = try NumberedServer { number, peer in
                if number == 1 { return try peer.refuse(503) }
                try peer.acceptUpgrade()
                for _ in 0..<2 { peer.sendFrame(opcode: 1, [0x61]) }
                if number == 0 { return peer.closeConnection() }
                peer.waitForEnd()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.readTimeout = Timing.ages
            configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1))
            let client = try metrics.client(server.url(), configuration)
            #expect(eventually { metrics.queued("unread") == 2 && !client.isOpen })
            for _ in 0..<4 { #expect(try client.readTextMessage() == "a") }
            #expect(eventually { metrics.queued("unread") == 0 } && metrics.traffic("received") == [4, 4])
            #expect(metrics.count("connects") == 2 && metrics.connections == 1)
            #expect(metrics.count("connect.failures", [("error.type", "invalidHandshake")]) == 1)
            #expect(metrics.count("closures", [("initiator", "network")]) == 1)
        }

        @Test("add up over clients where a backend has no meters of its own")
        func addedUp() throws {
            let server = try EchoServer()
            defer { server.stop() }
            let backend = BackendWithoutMeters()
            let clients = try (0..<3).map { _ in
                // In between others report elsewhere.
                _ = try metrics.client(server.url())
                return try withMetricsFactory(backend) { try WebSocketClient(server.url()) }
            }
            let open = backend.metrics.recorders(label: "websocket.client.connections").flatMap(\.values)
            #expect(open == [1, 2, 3])
            withExtendedLifetime(clients) {}
        }

        @Test("go to the factory of where the client is made, also where that is a value")
        func values() throws {
            let server = try EchoServer()
            defer { server.stop() }
            let backends = (0..<2).map { _ in BackendWithoutMeters() }
            // Values, as the factory of Prometheus is one.
            let factories = backends.map { $0.withLabelAndDimensionsMapping { ($0, $1) } }
            let clients = try (0..<4).map { number in
                try withMetricsFactory(factories[number % 2]) { try WebSocketClient(server.url()) }
            }
            for backend in backends {
                #expect(backend.metrics.counterTotal(label: "websocket.client.connects") == 2)
                let open = backend.metrics.recorders(label: "websocket.client.connections").flatMap(\.values)
                #expect(open == [1, 2])
            }
            withExtendedLifetime(clients) {}
        }
    }
#endif
