// What clients count and measure, for the application's metrics: the trait Metrics.

internal import DequeModule
internal import LWSServiceLoop

#if Metrics
    internal import CoreMetrics
#endif

/// The metrics that a client and all its connections report, with others: those of the factory there is where it is made.
///
/// Their backend is called where a thing happens, in some places with a lock held: it is no part of the application that may call
/// clients. Without the trait this does nothing.
struct ClientMetrics: Sendable {
    /// Data messages, and the bytes of payload in them.
    struct Traffic: Equatable {
        var messages = 0
        var bytes = 0
    }

    /// How many messages wait in a connection's queues.
    struct Depth: Equatable {
        /// Those that nobody has read.
        var unread = 0
        /// Writes that are not all with the system yet, those of control frames among them.
        var unsent = 0
    }

    #if Metrics
        static var isOn: Bool { true }
        private let instruments = Instruments.current
    #else
        static var isOn: Bool { false }
    #endif

    // MARK: - Connecting

    /// An attempt has led to an open connection.
    func connected(after duration: Duration) {
        #if Metrics
            instruments.connects.increment()
            instruments.connectDuration.record(duration)
        #endif
    }

    /// An attempt has failed.
    func failed(_ error: WebSocketError) {
        #if Metrics
            instruments.failures(error.code).increment()
        #endif
    }

    func opened() {
        #if Metrics
            instruments.connections.increment()
        #endif
    }

    /// A connection that was open has ended.
    func ended(by initiator: WebSocketError.Closure.Initiator) {
        #if Metrics
            instruments.connections.decrement()
            instruments.closures[initiator]?.increment()
        #endif
    }

    // MARK: - An open connection

    func received(_ messages: Deque<WebSocketMessage>) {
        #if Metrics
            instruments.received.add(
                Traffic(messages: messages.count, bytes: messages.reduce(0) { $0 + $1.size }))
        #endif
    }

    func sent(_ traffic: Traffic) {
        #if Metrics
            instruments.sent.add(traffic)
        #endif
    }

    /// A pong has come to a ping of this library's own.
    func measured(roundTrip: Duration) {
        #if Metrics
            instruments.roundTrip.record(roundTrip)
        #endif
    }

    func queuesChanged(from before: Depth, to now: Depth) {
        #if Metrics
            instruments.received.add(waiting: now.unread - before.unread)
            instruments.sent.add(waiting: now.unsent - before.unsent)
        #endif
    }
}

extension ClientMetrics.Traffic {
    /// Those that have left; control frames do not count.
    init(_ messages: some Sequence<OutgoingMessage>) {
        for message in messages where !message.kind.isControl {
            self.messages += message.messageCount
            bytes += message.count
        }
    }
}

// MARK: - What is reported to

#if Metrics
    /// What one factory has made for all clients.
    private final class Instruments: Sendable {
        private let factory: any MetricsFactory
        let connects: Counter
        let connectDuration: Timer
        let connections: Meter
        let received: Direction
        let sent: Direction
        let roundTrip: Timer
        let closures: [WebSocketError.Closure.Initiator: Counter]
        private let failures: [WebSocketError.Code: Counter]
        private let otherFailures: Counter

        private init(_ factory: any MetricsFactory) {
            self.factory = factory
            connects = Counter(label: "websocket.client.connects", factory: factory)
            connectDuration = Timer(label: "websocket.client.connect.duration", factory: factory)
            connections = Meter(label: "websocket.client.connections", factory: factory)
            received = Direction("received", queue: "unread", factory)
            sent = Direction("sent", queue: "unsent", factory)
            roundTrip = Timer(label: "websocket.client.round_trip.duration", factory: factory)
            func counters<Kind>(_ label: String, _ dimension: String, _ kinds: [Kind]) -> [Kind: Counter] {
                kinds.reduce(into: [:]) { counters, kind in
                    counters[kind] = Counter(label: label, dimensions: [(dimension, "\(kind)")], factory: factory)
                }
            }
            closures = counters("websocket.client.closures", "initiator", [.local, .peer, .network])
            // All there from the start: whoever watches for an increase would miss the first otherwise.
            let label = "websocket.client.connect.failures"
            failures = counters(
                label, "error.type",
                [.connection, .handshakeTimedOut, .invalidHandshake, .ssl, .auth, .invalidArgument])
            otherFailures = Counter(label: label, dimensions: [("error.type", "_OTHER")], factory: factory)
        }

        func failures(_ code: WebSocketError.Code) -> Counter { failures[code] ?? otherFailures }

        /// What goes one way.
        final class Direction: Sendable {
            private let messages: Counter
            private let bytes: Counter
            private let waiting: Meter

            init(_ name: String, queue: String, _ factory: any MetricsFactory) {
                let dimensions = [("direction", name)]
                messages = Counter(label: "websocket.client.messages", dimensions: dimensions, factory: factory)
                bytes = Counter(label: "websocket.client.bytes", dimensions: dimensions, factory: factory)
                waiting = Meter(label: "websocket.client.queue.\(queue)", factory: factory)
            }

            func add(_ traffic: ClientMetrics.Traffic) {
                guard traffic.messages > 0 else { return }
                messages.increment(by: traffic.messages)
                bytes.increment(by: traffic.bytes)
            }

            func add(waiting change: Int) {
                if change > 0 { waiting.increment(by: Double(change)) }
                if change < 0 { waiting.decrement(by: Double(-change)) }
            }
        }

        // MARK: - One set for a factory

        private struct Reference {
            weak var instruments: Instruments?
        }

        private static let all = Locked<[Reference]>([])

        /// Those of the factory of now, the task's own or the process's. Where a factory has no meters of its own swift-metrics adds
        /// up what one meter is told, so all clients of a factory share theirs.
        static var current: Instruments {
            let factory = MetricsSystem.factory
            if let known = all.withLock({ find(factory, in: &$0) }) { return known }
            let made = Instruments(factory)
            return all.withLock { all in
                if let known = find(factory, in: &all) { return known }
                all.append(Reference(instruments: made))
                return made
            }
        }

        private static func find(_ factory: any MetricsFactory, in all: inout [Reference]) -> Instruments? {
            all.removeAll { $0.instruments == nil }
            return all.lazy.compactMap(\.instruments).first { isSame(factory, as: $0.factory) }
        }

        /// Whether both are one object, or values of the same bytes. Equal values with other bytes are taken for two.
        private static func isSame<Factory: MetricsFactory>(
            _ factory: Factory, as other: any MetricsFactory
        ) -> Bool {
            guard let other = other as? Factory else { return false }
            return withUnsafeBytes(of: factory) { bytes in
                withUnsafeBytes(of: other) { bytes.elementsEqual($0) }
            }
        }
    }

    extension Timer {
        fileprivate func record(_ duration: Duration) {
            let (seconds, attoseconds) = duration.components
            recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
    }
#endif
