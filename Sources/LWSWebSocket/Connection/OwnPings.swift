// The pings that this library sends by itself, and who waits for their pongs.

internal import DequeModule
internal import LWSServiceLoop

/// Keep-alive pings and those of `roundTripTime`, in the order in which they leave. Their pongs are not the
/// application's; they are told from others by eight random bytes.
struct OwnPings {
    /// Pings remembered that nobody waits for. Of more than that the oldest are forgotten, and a pong that still
    /// comes to one of them goes to the application.
    static let maxUnawaited = 64

    private struct Entry {
        let payload: [UInt8]
        var trip: RoundTrip?
    }

    private var entries: Deque<Entry> = []
    private var unawaited = 0
    private var keepAlive: OutgoingMessage?

    /// A ping with a payload that no other has.
    static func make() -> (ping: OutgoingMessage, payload: [UInt8]) {
        let payload = withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { [UInt8]($0) }
        return (payload.withUnsafeBytes { OutgoingMessage(.ping, $0) }, payload)
    }

    /// Whether a keep-alive ping waits to leave: then another would only pile up behind it.
    var isKeepAliveWaiting: Bool { keepAlive.map { $0.outcome == nil } ?? false }

    /// A keep-alive ping has been queued.
    mutating func add(_ ping: OutgoingMessage, _ payload: [UInt8]) {
        keepAlive = ping
        entries.append(Entry(payload: payload))
        unawaited += 1
        forgetOldest()
    }

    /// A ping has been queued for whose pong somebody waits.
    mutating func add(_ trip: RoundTrip) {
        entries.append(Entry(payload: trip.payload, trip: trip))
    }

    /// A pong has arrived. A peer may answer the latest of several pings alone (RFC 6455, section 5.5.3), so it
    /// answers all earlier ones too.
    ///
    /// - Returns: those to be woken; `nil` where the pong answers none of these pings.
    mutating func answered(
        _ payload: UnsafeRawBufferPointer, at arrival: LoopClock.Instant
    ) -> [RoundTrip]? {
        guard let index = entries.firstIndex(where: { $0.payload.elementsEqual(payload) }) else { return nil }
        let answered = entries.prefix(through: index)
        let trips = answered.compactMap(\.trip)
        unawaited -= answered.count - trips.count
        entries.removeFirst(index + 1)
        for trip in trips { trip.outcome = .answered(after: arrival - (trip.ping.leftAt ?? arrival)) }
        return trips
    }

    /// Nobody waits any more for the pong of a ping that has left. It may still come.
    mutating func stopWaiting(_ trip: RoundTrip) {
        guard let index = entries.firstIndex(where: { $0.trip === trip }) else { return }
        entries[index].trip = nil
        unawaited += 1
        forgetOldest()
    }

    /// The ping never left.
    mutating func remove(_ trip: RoundTrip) {
        entries.removeAll { $0.trip === trip }
    }

    /// No pong will come any more, as far as those who wait are concerned. Returns them, to be woken.
    mutating func end() -> [RoundTrip] {
        let trips = entries.compactMap(\.trip)
        for trip in trips {
            trip.outcome = .ended
            stopWaiting(trip)
        }
        return trips
    }

    private mutating func forgetOldest() {
        guard unawaited > Self.maxUnawaited, let index = entries.firstIndex(where: { $0.trip == nil }) else { return }
        entries.remove(at: index)
        unawaited -= 1
    }
}

/// A caller blocked until the pong of their ping comes.
final class RoundTrip: @unchecked Sendable {
    // Safe to share: `outcome` is read and written with the connection's lock held; the rest is constant.
    enum Outcome {
        case answered(after: Duration)
        /// The connection ended first.
        case ended
    }

    let ping: OutgoingMessage
    let payload: [UInt8]
    let semaphore = MonotonicSemaphore()
    var signal: CallerSignal { .blocked(semaphore) }
    var outcome: Outcome?

    init() { (ping, payload) = OwnPings.make() }
}
