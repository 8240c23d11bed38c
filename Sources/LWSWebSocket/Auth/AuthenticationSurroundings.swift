// What a client lends those who authenticate it.

internal import LWSServiceLoop
internal import Logging

/// The client on whose behalf a token is fetched: its loop, its ways to a server, its time.
struct AuthenticationSurroundings: Sendable {
    let proxy: Proxy?
    let localAddress: String?
    let logger: Logger
    let loop: WebSocketLoop
    let resolver: any NameResolver
    let deadline: Deadline
    /// The client is closed: nobody waits any more.
    let cancellation: Cancellation
}

/// Something that can be called off, once, from any thread.
final class Cancellation: Sendable {
    private struct State {
        var isCancelled: Bool
        var lastKey = 0
        var handlers: [Int: @Sendable () -> Void] = [:]
    }

    private let state: Locked<State>

    init(isCancelled: Bool = false) { state = Locked(State(isCancelled: isCancelled)) }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func cancel() {
        let handlers = state.withLock { state in
            state.isCancelled = true
            defer { state.handlers = [:] }
            return state.handlers.values
        }
        for handler in handlers { handler() }
    }

    /// Runs `body`; a cancellation before or meanwhile calls `handler`, on the thread that cancels.
    func watched<Result, Failure: Error>(
        by handler: @escaping @Sendable () -> Void, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let key = add(handler)
        defer { remove(key) }
        return try body()
    }

    /// Has a cancellation call `handler`, at once where it was before; until it is removed by the key that this returns.
    func add(_ handler: @escaping @Sendable () -> Void) -> Int? {
        let key = state.withLock { state -> Int? in
            guard !state.isCancelled else { return nil }
            state.lastKey += 1
            state.handlers[state.lastKey] = handler
            return state.lastKey
        }
        if key == nil { handler() }
        return key
    }

    func remove(_ key: Int?) {
        guard let key else { return }
        // What the handler holds goes with the lock released.
        let gone = state.withLock { $0.handlers.removeValue(forKey: key) }
        withExtendedLifetime(gone) {}
    }
}
