// The loop: when it starts and ends, and who may block on it.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The loop", .serialized)
struct LoopTests {
    private func server() throws -> RawServer {
        try RawServer { peer in
            _ = try? peer.acceptUpgrade()
            peer.waitForEnd()
        }
    }

    @Test("starts with the first client, serves all of them with one thread, and ends some time after the last")
    func lifetime() throws {
        let server = try server()
        let loop = WebSocketLoop()
        #expect(!loop.isRunning)
        // Loops of other tests may still be ending.
        let before = try ProcessMetrics.threads(named: "lws-client")
        var clients = try (0..<10).map { _ in try WebSocketClient(server.url(), loop: loop) }
        #expect(loop.isRunning && clients.count { $0.isOpen } == 10)
        #expect(try ProcessMetrics.threads(named: "lws-client") <= before + 1)
        clients = []
        #expect(eventually { !loop.isRunning })
        #expect(try WebSocketClient(server.url(), loop: loop).isOpen, "it starts again")
    }

    @Test("does not end while a client came back in time")
    func comesBack() throws {
        let server = try server()
        let loop = WebSocketLoop()
        // It stays so long without clients; a round that took longer says nothing.
        let stay = Duration.seconds(1)
        var inTime = 0
        for _ in 0..<100 where inTime < 5 {
            let start = ContinuousClock.now
            #expect(try WebSocketClient(server.url(), loop: loop).isOpen)
            let isRunning = loop.isRunning
            guard ContinuousClock.now - start < stay else { continue }
            #expect(isRunning)
            inTime += 1
        }
        #expect(inTime == 5)
    }

    @Test("leaves no descriptor behind")
    func descriptors() throws {
        let server = try EchoProcess()
        func runLoops() throws {
            let clients = try (0..<8).map { _ in try WebSocketClient(server.url(), loop: WebSocketLoop()) }
            for client in clients {
                #expect(try client.echoes())
                try client.close()
            }
        }
        // What is opened once and kept.
        try runLoops()
        #expect(eventually { (try? ProcessMetrics.threads(named: "lws-client")) == 0 })
        let before = try ProcessMetrics.openDescriptors()
        try runLoops()
        #expect(eventually { (try? ProcessMetrics.openDescriptors()) ?? .max <= before })
    }

    @Test("of its own is apart from the shared one")
    func ownLoop() throws {
        let server = try server()
        let own = try WebSocketClient(server.url(), loop: WebSocketLoop())
        let shared = try WebSocketClient(server.url())
        #expect(own.isOpen && shared.isOpen)
    }

    @Test("refuses a blocking call on its own thread instead of waiting for itself for ever")
    func blockingOnTheLoop() throws {
        let server = try server()
        let loop = WebSocketLoop()
        let client = try WebSocketClient(server.url(), loop: loop)
        let codes = try loop.onThread { _ in
            [
                failure { try client.readMessage() }?.code, failure { try client.writeTextMessage("x") }?.code,
                failure { try client.close() }?.code,
            ]
        }
        #expect(codes == [.invalidArgument, .invalidArgument, .invalidArgument])
        #expect(client.isOpen)
    }

    @Test("leaves the application's SIGPIPE handling alone")
    func sigpipe() throws {
        let before = SignalHandling.ofSIGPIPE()
        let server = try server()
        #expect(try WebSocketClient(server.url(), loop: WebSocketLoop()).isOpen)
        #expect(SignalHandling.ofSIGPIPE() == before)
        // Loops that start at the same time must not take each other's setting for the application's.
        for _ in 0..<20 {
            let starting = try (0..<3).map { _ in
                try Background { try ServiceLoop(LoopOptions(name: "sigpipe")).stop() }
            }
            for start in starting { try start.value() }
        }
        #expect(SignalHandling.ofSIGPIPE() == before)
    }

    @Test("looks names up on at most sixteen threads, and forgets those whose time is up")
    func resolverThreads() throws {
        let mayAnswer = MonotonicSemaphore()
        let resolver = SystemNameResolver { _ in
            _ = mayAnswer.wait(until: Deadline(after: .seconds(300)))
            return .failure("asked")
        }
        let done = MonotonicSemaphore()
        for index in 0..<40 {
            resolver.resolve("host\(index)", deadline: Deadline(after: .seconds(600))) { _ in done.signal() }
        }
        resolver.resolve("late", deadline: Deadline(after: .zero)) { _ in Issue.record("nobody waits for this one") }
        #expect(
            eventually { (try? ProcessMetrics.threads(named: "lws-resolver")) == SystemNameResolver.maxThreads })
        for _ in 0..<40 {
            mayAnswer.signal()
            #expect(done.wait(until: Deadline(after: Timing.ages)))
        }
        #expect(eventually { (try? ProcessMetrics.threads(named: "lws-resolver")) == 0 })
    }
}
