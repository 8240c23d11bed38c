// A system that has no thread left.

#if os(Linux)
    import LWSServiceLoop
    import TestSupport
    import Testing

    @testable import LWSWebSocket

    @Suite("Without a thread to be had", .serialized)
    struct ThreadShortageTests {
        private func configuration(_ change: (inout ClientConfiguration) -> Void = { _ in }) -> ClientConfiguration {
            var configuration = ClientConfiguration()
            (configuration.readTimeout, configuration.writeTimeout) = (Timing.ages, Timing.ages)
            change(&configuration)
            return configuration
        }

        @Test("a new loop and a look-up are errors that say so; what is there goes on, and afterwards all is well")
        func connecting() throws {
            let server = try EchoProcess()
            let (loop, other) = (WebSocketLoop(), WebSocketLoop())
            let client = try WebSocketClient(server.url(), configuration: configuration(), loop: loop)
            try Shortage.ofThreads { () throws -> Void in
                let time = Timing.of {
                    let started = failure { try WebSocketClient(server.url(), loop: other) }
                    #expect(started?.code == .connection && started?.isRetriable == true)
                    #expect(started?.description.contains("no thread") == true, "\(String(describing: started))")
                    #expect(!other.isRunning)
                    let named = failure { try WebSocketClient(server.url(host: "localhost"), loop: loop) }
                    #expect(named?.code == .connection && named?.isRetriable == true)
                    #expect(named?.description.contains("no thread") == true, "\(String(describing: named))")
                }
                #expect(time < Timing.atOnce, "\(time)")
                #expect(try client.echoes())
                #expect(try WebSocketClient(server.url(), loop: loop).echoes(), "a number asks no resolver")
            }
            #expect(try WebSocketClient(server.url(), loop: other).echoes())
            #expect(try WebSocketClient(server.url(host: "localhost"), loop: loop).echoes())
        }

        @Test("every look-up is answered, however many fail at once")
        func lookUps() throws {
            let resolver = SystemNameResolver { _ in .failure("asked") }
            let (ready, go, answered) = (MonotonicSemaphore(), MonotonicSemaphore(), MonotonicSemaphore())
            let count = 60
            let asking = try (0..<count).map { index in
                try Background {
                    ready.signal()
                    _ = go.wait(until: Deadline(after: Timing.ages))
                    resolver.resolve("host\(index)", deadline: .never) { _ in answered.signal() }
                }
            }
            for _ in 0..<count { try #require(ready.wait(until: Deadline(after: Timing.ages))) }
            try Shortage.ofThreads { () throws -> Void in
                for _ in 0..<count { go.signal() }
                for call in asking { try call.value() }
                for _ in 0..<count { try #require(answered.wait(until: Deadline(after: Timing.ages))) }
            }
            resolver.resolve("later", deadline: .never) { _ in answered.signal() }
            #expect(answered.wait(until: Deadline(after: Timing.ages)))
        }

        private struct Payloads: PingPongHandler {
            let all = Locked<[[UInt8]]>([])
            let arrived = MonotonicSemaphore()
            func onPong(_ payload: [UInt8]) {
                all.withLock { $0.append(payload) }
                arrived.signal()
            }
        }

        @Test("a pong is dropped rather than have the loop wait; later ones come")
        func pongs() throws {
            let server = try EchoProcess()
            let handler = Payloads()
            let client = try WebSocketClient(
                server.url(), configuration: configuration { $0.pingPongHandler = handler }, loop: WebSocketLoop())
            try Shortage.ofThreads { () throws -> Void in
                let time = try Timing.of {
                    // More than may be outstanding: those that are dropped do not count.
                    for index in 0..<100 as Range<UInt8> { try client.ping([index]) }
                    #expect(try client.echoes(), "what comes after the pongs is read")
                }
                #expect(time < Timing.atOnce, "\(time)")
            }
            try client.ping([200])
            #expect(handler.arrived.wait(until: Deadline(after: Timing.ages)))
            #expect(handler.all.withLock { $0 } == [[200]])
        }

        @Test("the last client still goes without waiting, and the loop ends after it")
        func dropping() throws {
            let server = try EchoProcess()
            let loop = WebSocketLoop()
            var client: WebSocketClient? = try WebSocketClient(server.url(), loop: loop)
            #expect(try client?.echoes() == true)
            try Shortage.ofThreads { () throws -> Void in
                client = nil
                #expect(eventually { !loop.isRunning })
            }
            // A server that does not answer the close frame would be waited for.
            let limit = Duration.milliseconds(200)
            var loops: [WebSocketLoop] = []
            let kept = try Punctuality(
                of: limit,
                attempt: {
                    let loop = WebSocketLoop()
                    loops.append(loop)
                    var client: WebSocketClient? = try WebSocketClient(server.url("/silent"), loop: loop)
                    #expect(client?.isOpen == true)
                    let time = try Shortage.ofThreads { Timing.of { client = nil } }
                    return limit + time
                })
            #expect(kept.isKept, "\(kept)")
            #expect(eventually { loops.allSatisfy { !$0.isRunning } })
        }

        @Test("a lost connection is not made again, and a later call makes it")
        func reconnecting() throws {
            let server = try EchoProcess()
            let configuration = configuration {
                $0.retryConfig = WebSocketRetryConfig(interval: .milliseconds(1))
            }
            let client = try WebSocketClient(
                server.url("/drop/1"), configuration: configuration, loop: WebSocketLoop())
            #expect(try client.echoes())
            try Shortage.ofThreads { () throws -> Void in
                let error = failure { try client.readMessage() }
                #expect(error?.code == .connection)
                #expect(error?.description.contains("no thread") == true, "\(String(describing: error))")
            }
            let reading = try Background { try client.readTextMessage() }
            #expect(eventually { client.isOpen })
            try client.writeTextMessage("again")
            #expect(try reading.value() == "again")
        }
    }
#endif
