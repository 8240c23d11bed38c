// Handshakes that fail, or go elsewhere, as spans of swift-distributed-tracing.

#if Tracing
    import HTTPTypes
    import InMemoryTracing
    import LWSEchoServer
    import LWSServiceLoop
    import TestSupport
    import Testing
    import Tracing

    @testable import LWSWebSocket

    @Suite("The span of a handshake that fails, or goes elsewhere")
    struct HandshakeTraceEndTests {
        private let traces = RecordedTraces()

        @Test("has failed where the server refuses, or cannot be reached")
        func failed() throws {
            let server = try EchoServer()
            defer { server.stop() }
            #expect(failure { try traces.client(server.url("/refuse/403?token=hunter2")) }?.code == .invalidHandshake)
            let free = try FreePort.find()
            #expect(failure { try traces.client("ws://127.0.0.1:\(free)") }?.code == .connection)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["invalidHandshake", "connection"])
            #expect(traces.handshakes.map { $0.attributes.get("http.response.status_code") } == [403, nil])
            #expect(traces.handshakes.allSatisfy { $0.status?.code == .error })
            #expect(traces.handshakes.allSatisfy { $0.status?.message?.contains("hunter2") == false })
            #expect(traces.tracer.activeSpans.isEmpty)
        }

        @Test("is one for each request: redirects are no failures, refused credentials are")
        func detours() throws {
            let server = try NumberedServer.detouring()
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.followRedirects = 1
            configuration.auth = .custom(SecondGuess())
            let client = try traces.client(server.url(), configuration)
            #expect(traces.handshakes.map { $0.attributes.get("http.response.status_code") } == [302, 401, 101])
            #expect(traces.handshakes.map { $0.status?.code } == [nil, .error, nil])
            #expect(traces.handshakes.map { $0.attributes.get("websocket.connection") } == [1, 2, 3])
            #expect(Set(traces.handshakes.map(\.parentSpanID)) == [traces.span("caller")?.spanID])
            withExtendedLifetime(client) {}
        }

        @Test("has failed with the last redirect where that is one too many")
        func manyRedirects() throws {
            let server = try NumberedServer { _, peer in
                _ = try peer.readRequestHead()
                peer.redirect(to: "/there")
                peer.waitForEnd()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.followRedirects = 1
            #expect(failure { try traces.client(server.url(), configuration) }?.code == .invalidHandshake)
            #expect(traces.handshakes.map { $0.attributes.get("http.response.status_code") } == [302, 302])
            #expect(traces.handshakes.map { $0.status?.code } == [nil, .error])
        }

        @Test("is kept from a server of another origin")
        func otherOrigin() throws {
            let (before, after) = (RecordedRequests(), RecordedRequests())
            let target = try after.server()
            defer { target.stop() }
            let server = try RawServer { peer in
                guard let head = try? peer.readRequestHead() else { return }
                before.heads.withLock { $0.append(head) }
                peer.redirect(to: target.url())
                peer.waitForEnd()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.followRedirects = 1
            let client = try traces.client(server.url(), configuration)
            #expect(before.field(InMemoryTracer.spanIDKey) == [traces.handshakes.first?.spanID])
            #expect(after.field(InMemoryTracer.spanIDKey) == [nil])
            #expect(traces.handshakes.last?.attributes.get("server.port") == .int64(Int64(target.port)))
            withExtendedLifetime(client) {}
        }

        @Test("has failed where a proxy refuses, whose answer is not the server's")
        func proxy() throws {
            let server = try RawServer { peer in
                _ = try? peer.readRequestHead()
                peer.redirect(to: "http://127.0.0.1/")
                peer.waitForEnd()
            }
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.followRedirects = 1
            configuration.proxy = Proxy(host: "127.0.0.1", port: server.port)
            #expect(failure { try traces.client("ws://127.0.0.1:1", configuration) }?.code == .connection)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["connection"])
            #expect(traces.handshakes.first?.attributes.get("http.response.status_code") == nil)
            #expect(traces.handshakes.first?.events.map(\.name).contains("asking the proxy") == true)
        }

        @Test("ends when its time is up")
        func timedOut() throws {
            let server = try NumberedServer.silent()
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.handShakeTimeout = .milliseconds(200)
            #expect(failure { try traces.client(server.url(), configuration) }?.code == .handshakeTimedOut)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["handshakeTimedOut"])
            #expect(traces.tracer.activeSpans.isEmpty)
        }

        @Test("ends when the client is closed")
        func closed() throws {
            let server = try NumberedServer.silent()
            defer { server.stop() }
            let client = try WebSocketClient(unconnected: server.url())
            let connecting = try Background { failure { try traces.inside("caller") { try client.connect() } } }
            #expect(eventually { server.count == 1 })
            try client.close()
            #expect(try connecting.value()?.code == .connectionClosure)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["connectionClosure"])
            #expect(traces.tracer.activeSpans.isEmpty)
        }

        @Test("ends when the task is cancelled")
        func cancelled() async throws {
            let server = try NumberedServer.silent()
            defer { server.stop() }
            let client = try WebSocketClient(unconnected: server.url())
            let connecting = Task { try await traces.inside("caller") { try await client.connect() } }
            #expect(await becomes { server.count == 1 })
            connecting.cancel()
            #expect(await asyncFailure { try await value(of: connecting) }?.code == .cancelled)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["cancelled"])
            #expect(traces.tracer.activeSpans.isEmpty)
        }
    }
#endif
