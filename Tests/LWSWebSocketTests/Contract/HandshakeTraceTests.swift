// The handshake as a span of swift-distributed-tracing.

#if Tracing
    import HTTPTypes
    import InMemoryTracing
    import LWSEchoServer
    import LWSServiceLoop
    import TestSupport
    import Testing
    import Tracing

    @testable import LWSWebSocket

    @Suite("The handshake's span")
    struct HandshakeTraceTests {
        private let traces = RecordedTraces()

        @Test("is the caller's child, ends with the answer, and says where to and by which steps")
        func opened() throws {
            let recorder = RecordedRequests()
            let server = try recorder.server()
            defer { server.stop() }
            let client = try traces.client(server.url() + "path?token=hunter2")
            let handshake = try #require(traces.handshakes.first)
            let caller = try #require(traces.span("caller"))
            #expect(traces.handshakes.count == 1 && traces.tracer.activeSpans.isEmpty)
            #expect(handshake.traceID == caller.traceID && handshake.parentSpanID == caller.spanID)
            #expect(handshake.kind == .client && handshake.status == nil)
            let steps = ["looked up", "TCP is connecting", "asking for the upgrade"]
            #expect(handshake.events.map(\.name) == steps)
            let attributes: [String: SpanAttribute] = [
                "http.request.method": "GET", "http.response.status_code": 101,
                "network.peer.address": "127.0.0.1", "network.protocol.name": "websocket",
                "server.address": "127.0.0.1", "server.port": .int64(Int64(server.port)), "url.scheme": "ws",
                "websocket.attempt": 0, "websocket.connection": 1,
                "websocket.connection_id": .string(client.connectionID),
            ]
            var seen: [String: SpanAttribute] = [:]
            handshake.attributes.forEach { seen[$0] = $1 }
            #expect(seen == attributes)
            #expect(recorder.field(InMemoryTracer.traceIDKey) == [handshake.traceID])
            #expect(recorder.field(InMemoryTracer.spanIDKey) == [handshake.spanID])
        }

        @Test("is the child of a task's span")
        func suspended() async throws {
            let server = try EchoServer()
            defer { server.stop() }
            try await traces.inside("caller") {
                let client = try WebSocketClient(unconnected: server.url())
                try await client.connect()
                try await client.close()
            }
            #expect(traces.handshakes.count == 1)
            #expect(traces.handshakes.first?.parentSpanID == traces.span("caller")?.spanID)
        }

        @Test("says what TLS has agreed on")
        func secure() throws {
            let server = try SettingsFixture.echoServer(.good)
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.secureSocket = ClientSecureSocket()
            configuration.secureSocket?.enable = false
            let client = try traces.client(server.url(), configuration)
            let handshake = try #require(traces.handshakes.first)
            #expect(handshake.attributes.get("tls.protocol.version") == .string("1.3"))
            #expect(handshake.attributes.get("url.scheme") == "wss")
            #expect(handshake.events.map(\.name).contains("TLS handshake"))
            try client.close()
        }

        @Test("of a lost connection's successor is the child of the call that met the loss")
        func reconnecting() throws {
            let server = try restartingServer()
            defer { server.stop() }
            let client = try traces.client(server.url(), retrying)
            let message = try traces.inside("reader") { try client.readTextMessage() }
            #expect(message == "a")
            #expect(
                traces.handshakes.map(\.parentSpanID) == [
                    traces.span("caller")?.spanID, traces.span("reader")?.spanID,
                ])
            #expect(traces.handshakes.last?.attributes.get("websocket.attempt") == 1)
        }

        @Test("of a lost connection's successor is the child of the task that met the loss")
        func reconnectingSuspended() async throws {
            let server = try restartingServer()
            defer { server.stop() }
            let client = try traces.client(server.url(), retrying)
            let message = try await traces.inside("reader") { try await client.receive() }
            #expect(message == .text("a"))
            #expect(
                traces.handshakes.map(\.parentSpanID) == [
                    traces.span("caller")?.spanID, traces.span("reader")?.spanID,
                ])
        }

        /// Ends the first connection as soon as it is open, and sends a message on the second.
        private func restartingServer() throws -> NumberedServer {
            try NumberedServer { number, peer in
                try peer.acceptUpgrade()
                if number == 0 { return peer.closeConnection() }
                peer.sendFrame(opcode: 1, [0x61])
                peer.waitForEnd()
            }
        }

        private var retrying: ClientConfiguration {
            var configuration = ClientConfiguration()
            configuration.readTimeout = Timing.ages
            configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1))
            return configuration
        }

        @Test("adds no field where the application has set one of them, for parts of two traces do not go together")
        func ownFields() throws {
            let recorder = RecordedRequests()
            let server = try recorder.server()
            defer { server.stop() }
            var configuration = ClientConfiguration()
            try configuration.addHeader(InMemoryTracer.spanIDKey, "mine")
            let client = try traces.client(server.url(), configuration)
            #expect(recorder.field(InMemoryTracer.spanIDKey) == ["mine"])
            #expect(recorder.field(InMemoryTracer.traceIDKey) == [nil] && traces.handshakes.count == 1)
            withExtendedLifetime(client) {}
        }

        @Test("does not get in the handshake's way with fields that cannot be sent")
        func wrongFields() throws {
            let recorder = RecordedRequests()
            let server = try recorder.server()
            defer { server.stop() }
            let wrong = [
                "Connection": "close", "Host": "elsewhere", "Cookie": "a=b", "Sec-WebSocket-Key": "mine",
                "no name": "x", "line": "a\r\nb: c", "right": "yes",
            ]
            let huge = ["huge": String(repeating: "x", count: 20000)]
            for fields in [wrong, huge] {
                _ = try withTracer(InjectingTracer(fields: fields)) { try WebSocketClient(server.url()) }
            }
            #expect(recorder.field("Host", of: 2) == [String](repeating: "127.0.0.1:\(server.port)", count: 2))
            #expect(recorder.field("right", of: 2) == ["yes", nil])
            for name in ["Cookie", "no name", "line", "b", "huge"] {
                #expect(recorder.field(name, of: 2) == [nil, nil])
            }
            #expect(recorder.field("Connection", of: 2).allSatisfy { $0?.lowercased() == "upgrade" })
            #expect(recorder.field("Sec-WebSocket-Key", of: 2).allSatisfy { $0 != "mine" })
        }

        /// Injects whatever it is told to.
        private struct InjectingTracer: Tracer {
            let fields: [String: String]

            func inject<Carrier, Inject: Injector>(
                _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
            ) where Carrier == Inject.Carrier {
                for (name, value) in fields { injector.inject(value, forKey: name, into: &carrier) }
            }
            func extract<Carrier, Extract: Extractor>(
                _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
            ) where Carrier == Extract.Carrier {}
            func forceFlush() {}
            func startSpan<Instant: TracerInstant>(
                _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
                at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
            ) -> NoOpTracer.NoOpSpan {
                NoOpTracer().startSpan(
                    operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID,
                    line: line)
            }
        }
    }
#endif
