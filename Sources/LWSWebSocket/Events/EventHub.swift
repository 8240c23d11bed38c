// Events/: what an application is told without having asked.
//
// Holds: the events of a client and how they get to those who watch it, the handler of pongs, the log, and the metrics. Whoever
// tells of an event waits for nobody.
// Used by: Client, Reconnecting, Configuration, Auth, Session, Connection.
// Uses: Errors, Messages; CoreMetrics, DequeModule, Logging, LWSServiceLoop.

internal import DequeModule
internal import LWSServiceLoop
internal import Synchronization

/// One for a client and all its connections. As long as nobody has watched the client, an event costs one look.
///
/// Its lock comes after all others, and whoever tells of an event waits for nobody.
final class EventHub: Sendable {
    /// A lost connection may be followed by another.
    let mayReconnect: Bool
    private let watchers = AtomicLazyReference<EventWatchers>()

    /// - Parameter handler: watches from the beginning.
    init(mayReconnect: Bool = false, handler: (@Sendable (WebSocketEvent) -> Void)? = nil) {
        self.mayReconnect = mayReconnect
        if let handler { _ = watchers.storeIfNil(EventWatchers(handler)) }
    }

    /// Whether it makes sense to tell of an event.
    var isWatched: Bool { watchers.load() != nil }

    func tell(_ event: @autoclosure () -> WebSocketEvent) { watchers.load()?.tell(event()) }

    /// The events from now on.
    func stream() -> AsyncStream<WebSocketEvent> {
        let watchers = watchers.load() ?? watchers.storeIfNil(EventWatchers(nil))
        return watchers.stream()
    }
}

/// Those who watch one client.
private final class EventWatchers: Sendable {
    /// Events that wait for one watcher; of more the oldest are dropped.
    static let most = 64

    fileprivate struct Watcher {
        let continuation: AsyncStream<WebSocketEvent>.Continuation
        var missed = 0
    }

    private struct State {
        var streams: [Int: Watcher] = [:]
        var lastKey = 0
        /// The last event of all.
        var end: WebSocketEvent?
    }

    private let state = Locked(State())
    private let delivery: EventDelivery?

    init(_ handler: (@Sendable (WebSocketEvent) -> Void)?) {
        delivery = handler.map { EventDelivery(most: Self.most, $0) }
    }

    func tell(_ event: WebSocketEvent) {
        let ended = state.withLock { state -> [Watcher] in
            guard state.end == nil else { return [] }
            delivery?.deliver(event)
            for key in state.streams.keys { state.streams[key]?.tell(event) }
            guard event.kind == .closed else { return [] }
            state.end = event
            defer { state.streams = [:] }
            return Array(state.streams.values)
        }
        // With the lock released: a stream's end takes it.
        for watcher in ended { watcher.continuation.finish() }
    }

    func stream() -> AsyncStream<WebSocketEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: WebSocketEvent.self, bufferingPolicy: .bufferingNewest(Self.most))
        let (key, end) = state.withLock { state in
            state.lastKey += 1
            if state.end == nil { state.streams[state.lastKey] = Watcher(continuation: continuation) }
            return (state.lastKey, state.end)
        }
        if let end {
            continuation.yield(end)
            continuation.finish()
        } else {
            continuation.onTermination = { [weak self] _ in self?.forget(key) }
        }
        return stream
    }

    private func forget(_ key: Int) {
        // What the watcher holds goes with the lock released.
        let gone = state.withLock { $0.streams.removeValue(forKey: key) }
        withExtendedLifetime(gone) {}
    }
}

extension EventWatchers.Watcher {
    fileprivate mutating func tell(_ event: WebSocketEvent) {
        var event = event
        event.missed = missed
        missed = 0
        // What is dropped is the oldest, and had missed some itself.
        if case .dropped(let dropped) = continuation.yield(event) { missed = dropped.missed + 1 }
    }
}

// MARK: - Events on their way to the application's handler

/// Calls the handler on a thread that there is only while events wait, in order. Of more than may wait the oldest are dropped.
final class EventDelivery: Sendable {
    private struct State {
        var waiting = Deque<WebSocketEvent>()
        var missed = 0
        /// A thread calls the handler until nothing waits.
        var hasThread = false
    }

    private let handler: @Sendable (WebSocketEvent) -> Void
    private let state = Locked(State())
    private let most: Int

    /// - Parameter most: how many events may wait.
    init(most: Int, _ handler: @escaping @Sendable (WebSocketEvent) -> Void) {
        self.handler = handler
        self.most = most
    }

    /// Has the handler called. Does not wait for it. What comes while the system has no thread left is dropped.
    func deliver(_ event: WebSocketEvent) {
        let needsThread = state.withLock { state in
            if state.waiting.count == most {
                state.waiting.removeFirst()
                state.missed += 1
            }
            state.waiting.append(event)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard needsThread else { return }
        do throws(LoopError) {
            try LoopThread(name: "lws-events") { self.callHandler() }.detach()
        } catch {
            state.withLock { state in
                state.missed += state.waiting.count
                state.waiting = []
                state.hasThread = false
            }
        }
    }

    private func callHandler() {
        while let event = next() { ForkedProcess.callOut { handler(event) } }
    }

    private func next() -> WebSocketEvent? {
        state.withLock { state in
            guard var event = state.waiting.popFirst() else {
                state.hasThread = false
                return nil
            }
            // All that were dropped came before the oldest that waits.
            event.missed = state.missed
            state.missed = 0
            return event
        }
    }
}
