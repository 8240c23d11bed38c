// What those who watch a client are told.

import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Events", .serialized)
struct EventTests {
    private func gather(_ events: AsyncStream<WebSocketEvent>) -> Task<[WebSocketEvent], any Error> {
        Task { await events.reduce(into: []) { $0.append($1) } }
    }

    @Test("a stream tells of a connection's whole life, in order, and ends")
    func life() async throws {
        let server = try EchoProcess()
        let client = try WebSocketClient(unconnected: server.url())
        let (first, second) = (gather(client.events), gather(client.events))
        try await client.connect()
        // Each waits for its pong.
        for _ in 0..<2 { #expect(try client.roundTripTime(timeout: Timing.ages) > .zero) }
        try await client.close(statusCode: 3001)
        let events = try await value(of: first)
        #expect(events.map(\.kind) == [.connecting, .open, .ping, .pong, .ping, .pong, .closing, .closed])
        let payloads = events.dropFirst(2).prefix(4).map(\.payload)
        #expect(payloads.allSatisfy { $0.count == 8 } && payloads[0] == payloads[1] && payloads[2] == payloads[3])
        #expect(events.first?.attempt == 0 && events.last?.closure?.code == 3001 && events.last?.error == nil)
        #expect(events.allSatisfy { $0.missed == 0 })
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(try await value(of: second).map(\.kind) == events.map(\.kind))
        #expect(try await value(of: gather(client.events)).map(\.kind) == [.closed], "of one that is closed already")
    }

    @Test("a handler of the configuration is told of everything from the first attempt on, away from the caller")
    func handler() throws {
        let server = try NumberedServer { number, peer in
            if number == 0 { return try peer.refuse(503) }
            try peer.acceptUpgrade()
            if number == 1 { return peer.closeConnection() }
            peer.sendFrame(opcode: 1, Array("there".utf8))
            _ = try peer.readFrame()
            peer.sendFrame(opcode: 8, [0x0f, 0xa0])
        }
        defer { server.stop() }
        let (kinds, closed) = (Locked<[WebSocketEvent.Kind]>([]), MonotonicSemaphore())
        var configuration = RetryLog().configuration()
        configuration.eventHandler = { event in
            kinds.withLock { $0.append(event.kind) }
            if event.kind == .closed {
                #expect(event.closure?.code == 4000)
                closed.signal()
            }
        }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(try client.readTextMessage() == "there")
        try client.writeTextMessage("bye")
        #expect(failure { try client.readMessage() }?.closure?.code == 4000)
        #expect(closed.wait(until: Deadline(after: Timing.ages)))
        #expect(
            kinds.withLock { $0 } == [
                .connecting, .reconnecting, .connecting, .open, .lost, .reconnecting, .connecting, .open, .closing,
                .closed,
            ])
    }

    @Test("a connect that fails for good is the end, and says why", arguments: [false, true])
    func failing(blocking: Bool) async throws {
        let server = try EchoProcess()
        let client = try WebSocketClient(unconnected: server.url("/refuse/404"))
        let events = gather(client.events)
        if blocking {
            _ = try Background { failure { try client.connect() } }.value()
        } else {
            _ = await asyncFailure { try await client.connect() }
        }
        let seen = try await value(of: events)
        #expect(seen.map(\.kind) == [.connecting, .closed])
        #expect(seen.last?.error?.code == .invalidHandshake)
    }

    @Test("a loss without another try is the end; a client that is dropped unconnected, or closed, too")
    func ends() async throws {
        let server = try EchoProcess()
        let lost = try WebSocketClient(unconnected: server.url("/drop/1"))
        var events = gather(lost.events)
        try await lost.connect()
        try await lost.send("x")
        let seen = try await value(of: events)
        #expect(seen.map(\.kind) == [.connecting, .open, .closed])
        #expect(seen.last?.closure?.code == 1006 && seen.last?.error?.code == .connectionClosure)
        var unconnected: WebSocketClient? = try WebSocketClient(unconnected: server.url())
        events = gather(try #require(unconnected?.events))
        unconnected = nil
        #expect(try await value(of: events).map(\.kind) == [.closed])
        let closed = try WebSocketClient(unconnected: server.url())
        events = gather(closed.events)
        try await closed.close()
        #expect(try await value(of: events).map(\.kind) == [.closed])
    }

    @Test("a watcher that does not look costs no more than 64 events, and is told how many it missed")
    func slow() async throws {
        let server = try EchoProcess()
        let client = try await WebSocketClient.connect(server.url())
        let events = client.events
        // Two events each.
        for _ in 0..<100 { _ = try client.roundTripTime(timeout: Timing.ages) }
        try await client.close()
        let seen = try await value(of: gather(events))
        #expect(seen.count == 64 && seen.last?.kind == .closed)
        #expect(seen.map(\.missed).reduce(0, +) > 0)
    }

    @Test("a handler that is slow holds up nobody, and misses the oldest")
    func slowHandler() throws {
        let (mayGo, seen) = (MonotonicSemaphore(), Locked<[WebSocketEvent]>([]))
        let delivery = EventDelivery(most: 4) { event in
            _ = mayGo.wait(until: Deadline(after: Timing.ages))
            mayGo.signal()
            seen.withLock { $0.append(event) }
        }
        for number in 0..<20 { delivery.deliver(WebSocketEvent(.connecting, attempt: number)) }
        mayGo.signal()
        #expect(eventually { seen.withLock { $0.last?.attempt == 19 } })
        let events = seen.withLock { $0 }
        #expect(events.suffix(4).map(\.attempt) == [16, 17, 18, 19])
        #expect(events.count + events.map(\.missed).reduce(0, +) == 20)
    }

    @Test("what nobody watches is not made")
    func unwatched() {
        let hub = EventHub()
        var made = 0
        func event() -> WebSocketEvent {
            made += 1
            return WebSocketEvent(.open)
        }
        hub.tell(event())
        #expect(made == 0 && !hub.isWatched)
        let stream = hub.stream()
        hub.tell(event())
        #expect(made == 1)
        withExtendedLifetime(stream) {}
    }
}
