// The pings that the client sends by itself, and their pongs.

import LWSServiceLoop
import Testing

@testable import LWSWebSocket

@Suite("Pings of the client's own")
struct OwnPingsTests {
    private let now = KeepAlivePlan.Instant.now

    private func answer(_ pings: inout OwnPings, _ payload: [UInt8]) -> [RoundTrip]? {
        payload.withUnsafeBytes { pings.answered($0, at: now + .seconds(1)) }?.trips
    }

    private func duration(_ trip: RoundTrip) -> Duration? {
        guard case .answered(let duration) = trip.outcome else { return nil }
        return duration
    }

    @Test("are told from others by their payload, once")
    func payload() {
        var pings = OwnPings()
        let trip = RoundTrip()
        trip.ping.leftAt = now
        pings.add(trip)
        #expect(answer(&pings, []) == nil)
        #expect(answer(&pings, [UInt8](repeating: 0, count: 8)) == nil)
        #expect(answer(&pings, trip.payload)?.count == 1)
        #expect(duration(trip) == .seconds(1))
        #expect(answer(&pings, trip.payload) == nil)
    }

    @Test("are all answered by a pong to the latest, each with its own time")
    func latest() {
        var pings = OwnPings()
        let trips = (0..<3).map { _ in RoundTrip() }
        for (index, trip) in trips.enumerated() {
            trip.ping.leftAt = now + .milliseconds(100 * index)
            pings.add(trip)
        }
        let (keepAlive, payload) = OwnPings.make()
        pings.add(keepAlive, payload)
        #expect(answer(&pings, trips[1].payload)?.count == 2)
        #expect(duration(trips[0]) == .seconds(1))
        #expect(duration(trips[1]) == .milliseconds(900))
        #expect(trips[2].outcome == nil)
        #expect(answer(&pings, payload)?.count == 1)
        #expect(duration(trips[2]) == .milliseconds(800))
    }

    @Test("stay the client's own after their caller has given up, or the connection has begun to end")
    func late() {
        var pings = OwnPings()
        let (first, second) = (RoundTrip(), RoundTrip())
        pings.add(first)
        pings.add(second)
        pings.stopWaiting(first)
        #expect(answer(&pings, first.payload)?.isEmpty == true)
        #expect(pings.end().count == 1)
        guard case .ended = second.outcome else {
            Issue.record("not ended")
            return
        }
        #expect(answer(&pings, second.payload)?.isEmpty == true)
    }

    @Test("are forgotten where they never left")
    func removed() {
        var state = ConnectionState()
        _ = state.beginConnecting(waking: .blocked(MonotonicSemaphore()))
        _ = state.opened(nil)
        let trip = RoundTrip()
        let isQueued = state.begin(trip)
        #expect(isQueued)
        let outcome = state.withdraw(trip)
        #expect(outcome == nil)
        #expect(answer(&state.ownPings, trip.payload) == nil)
        guard case .none = state.nextFrame(maxFrameSize: 10) else {
            Issue.record("it would still be sent")
            return
        }
    }

    @Test("are remembered in a bounded number, those with a waiting caller always")
    func bounded() {
        var pings = OwnPings()
        let trip = RoundTrip()
        pings.add(trip)
        var payloads: [[UInt8]] = []
        for _ in 0..<(OwnPings.maxUnawaited + 10) {
            let (ping, payload) = OwnPings.make()
            pings.add(ping, payload)
            payloads.append(payload)
        }
        #expect(answer(&pings, payloads[9]) == nil)
        #expect(answer(&pings, payloads[10])?.count == 1)
        #expect(duration(trip) != nil)
    }

    @Test("of the keep-alive never queue up behind one that has not left")
    func oneAtATime() {
        var state = ConnectionState()
        var queued = [state.queueKeepAlivePing()]
        _ = state.beginConnecting(waking: .blocked(MonotonicSemaphore()))
        _ = state.opened(nil)
        for _ in 0..<3 { queued.append(state.queueKeepAlivePing()) }
        _ = state.nextFrame(maxFrameSize: 10)
        queued.append(state.queueKeepAlivePing())
        _ = state.flushed()
        queued.append(state.queueKeepAlivePing())
        #expect(queued == [false, true, false, false, false, true])
    }
}
