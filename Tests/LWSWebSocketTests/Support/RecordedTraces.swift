// The spans of handshakes, and what servers are told of them, kept for tests.

#if Tracing
    import InMemoryTracing
    import LWSServiceLoop
    import TestSupport
    import Tracing

    @testable import LWSWebSocket

    /// The spans of clients that connect with them.
    struct RecordedTraces {
        let tracer = InMemoryTracer()

        /// Reports to the tracer, from inside a span of this name.
        func inside<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
            try withTracer(tracer) { try tracer.withSpan(name) { _ in try body() } }
        }

        func inside<Result: Sendable>(
            _ name: String, _ body: () async throws -> Result
        ) async throws -> Result {
            try await withTracer(tracer) { try await tracer.withSpan(name) { _ in try await body() } }
        }

        /// A client that is made inside a span called "caller".
        func client(
            _ url: String, _ configuration: ClientConfiguration = ClientConfiguration()
        ) throws -> WebSocketClient {
            try inside("caller") { try WebSocketClient(url, configuration: configuration) }
        }

        var handshakes: [FinishedInMemorySpan] {
            tracer.finishedSpans.filter { $0.operationName == "WebSocket handshake" }
        }

        func span(_ name: String) -> FinishedInMemorySpan? {
            tracer.finishedSpans.first { $0.operationName == name }
        }
    }

    /// What servers are asked.
    struct RecordedRequests {
        let heads = Locked<[String]>([])

        func server() throws -> RawServer {
            try RawServer { [heads] peer in
                guard let head = try? peer.acceptUpgrade() else { return }
                heads.withLock { $0.append(head) }
                peer.waitForEnd()
            }
        }

        /// - Parameter count: of so many requests. The last may have been answered and not be here yet.
        func field(_ name: String, of count: Int = 1) -> [String?] {
            _ = eventually { heads.withLock { $0.count } == count }
            return heads.withLock { $0 }.map { RawConnection.field(name, in: $0) }
        }
    }
#endif
