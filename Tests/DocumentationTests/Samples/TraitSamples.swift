// What WatchingConnections.md shows of the package's traits.

#if Metrics && Tracing
    import CoreMetrics
    import InMemoryTracing
    import LWSEchoServer
    import LWSWebSocket
    import MetricsTestKit
    import Testing
    import Tracing

    extension Samples {
        @Suite("The package's traits")
        struct Traits {
            @Test("a backend for metrics")
            func metrics() throws {
                let server = try EchoServer()
                let metrics = TestMetrics()
                // sample: metrics-backend
                // where server.url() is shown as "ws://localhost:9001/echo"
                MetricsSystem.bootstrap(metrics)  // before the first client is made
                let client = try WebSocketClient(server.url())
                // sample end
                try client.close()
                #expect(metrics.counterTotal(label: "websocket.client.connects") > 0)
            }

            @Test("a tracer")
            func tracing() throws {
                let server = try EchoServer()
                let tracer = InMemoryTracer()
                // sample: tracing-backend
                // where server.url() is shown as "ws://localhost:9001/echo"
                InstrumentationSystem.bootstrap(tracer)  // before the first client is made
                let client = try tracer.withSpan("import") { _ in
                    try WebSocketClient(server.url())  // its handshake is a child of this span
                }
                // sample end
                try client.close()
                let spans = tracer.finishedSpans.map(\.operationName)
                #expect(spans == ["WebSocket handshake", "import"])
            }
        }
    }
#endif
