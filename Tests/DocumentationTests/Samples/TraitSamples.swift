// What WatchingConnections.md shows of the package's traits.

#if Metrics && Tracing
    import CoreMetrics
    import InMemoryTracing
    import LWSEchoServer
    import LWSServiceLoop
    import LWSWebSocket
    import MetricsTestKit
    import TestSupport
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

            /// What goes with the tracer's own.
            private struct Baggage: Instrument {
                func inject<Carrier, Inject: Injector>(
                    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
                ) where Carrier == Inject.Carrier {
                    injector.inject("carried along", forKey: "baggage", into: &carrier)
                }
                func extract<Carrier, Extract: Extractor>(
                    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
                ) where Carrier == Extract.Carrier {}
            }

            @Test("a tracer, among other instruments")
            func tracing() throws {
                let head = Locked("")
                let server = try RawServer { peer in
                    let request = (try? peer.acceptUpgrade()) ?? ""
                    head.withLock { $0 = request }
                    peer.waitForEnd()
                }
                defer { server.stop() }
                let tracer = InMemoryTracer()
                let instruments = MultiplexInstrument([Baggage(), tracer])
                // sample: tracing-backend
                // where server.url() is shown as "ws://localhost:9001/echo"
                // where instruments is shown as tracer
                InstrumentationSystem.bootstrap(instruments)
                let client = try tracer.withSpan("import") { _ in
                    try WebSocketClient(server.url())  // its handshake is a child of this span
                }
                // sample end
                #expect(eventually { head.withLock { $0.contains("\r\nbaggage: carried along\r\n") } })
                #expect(head.withLock { $0.contains("\r\n\(InMemoryTracer.spanIDKey): ") })
                withExtendedLifetime(client) {}
                let spans = tracer.finishedSpans.map(\.operationName)
                #expect(spans == ["WebSocket handshake", "import"])
            }
        }
    }
#endif
