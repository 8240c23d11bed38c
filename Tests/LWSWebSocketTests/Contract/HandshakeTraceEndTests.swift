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
            let server = try NumberedServer { number, peer in
                if number == 2 { try peer.acceptUpgrade() } else { _ = try peer.readRequestHead() }
                if number == 0 { peer.send("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n") }
                if number == 1 { peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") }
                peer.waitForEnd()
            }
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

        private struct SecondGuess: HandshakeAuthenticator {
            func headerFields(for request: AuthenticationRequest) -> HTTPFields { [.authorization: "guess"] }
            func wasRefused(_ refusal: AuthenticationRefusal) -> Bool { true }
        }

        @Test("has failed with the last redirect where that is one too many")
        func manyRedirects() throws {
            let server = try NumberedServer { _, peer in
                _ = try peer.readRequestHead()
                peer.send("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
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
                peer.send("HTTP/1.1 302 Found\r\nLocation: \(target.url())\r\nContent-Length: 0\r\n\r\n")
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
                peer.send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
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

        /// A server that never answers, and says when it was asked.
        private func silentServer(_ asked: MonotonicSemaphore) throws -> RawServer {
            try RawServer { peer in
                _ = try? peer.readRequestHead()
                asked.signal()
                peer.waitForEnd()
            }
        }

        @Test("ends when its time is up")
        func timedOut() throws {
            let server = try silentServer(MonotonicSemaphore())
            defer { server.stop() }
            var configuration = ClientConfiguration()
            configuration.handShakeTimeout = .milliseconds(200)
            #expect(failure { try traces.client(server.url(), configuration) }?.code == .handshakeTimedOut)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["handshakeTimedOut"])
            #expect(traces.tracer.activeSpans.isEmpty)
        }

        @Test("ends when the client is closed")
        func closed() throws {
            let asked = MonotonicSemaphore()
            let server = try silentServer(asked)
            defer { server.stop() }
            let client = try WebSocketClient(unconnected: server.url())
            let connecting = try Background { failure { try traces.inside("caller") { try client.connect() } } }
            #expect(asked.wait(until: Deadline(after: Timing.ages)))
            try client.close()
            #expect(try connecting.value()?.code == .connectionClosure)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["connectionClosure"])
            #expect(traces.tracer.activeSpans.isEmpty)
        }

        @Test("ends when the task is cancelled")
        func cancelled() async throws {
            let asked = Locked(false)
            let server = try RawServer { peer in
                _ = try? peer.readRequestHead()
                asked.withLock { $0 = true }
                peer.waitForEnd()
            }
            defer { server.stop() }
            let client = try WebSocketClient(unconnected: server.url())
            let connecting = Task { try await traces.inside("caller") { try await client.connect() } }
            #expect(await becomes { asked.withLock { $0 } })
            connecting.cancel()
            #expect(await asyncFailure { try await value(of: connecting) }?.code == .cancelled)
            #expect(traces.handshakes.map { $0.attributes.get("error.type") } == ["cancelled"])
            #expect(traces.tracer.activeSpans.isEmpty)
        }
    }
#endif
