// What calls wait by: threads for what blocks, time limits of tasks, and an end that others can put to a wait.

internal import LWSServiceLoop

/// Runs jobs that block for as long as they like, on at most so many threads at once; what does not find one waits in line.
/// The threads end when nothing waits.
final class HelperThreads: Sendable {
    struct Job: Sendable {
        /// A job that has not begun by then is dropped: nobody waits for it any more.
        let deadline: Deadline
        let run: @Sendable () -> Void
        /// Called in place of `run` where the system has no thread left.
        let refuse: @Sendable (LoopError) -> Void
    }

    private struct State {
        var running = 0
        var waiting: [Job] = []
    }

    private let name: String
    private let most: Int
    private let state = Locked(State())

    init(name: String, most: Int) {
        self.name = name
        self.most = most
    }

    private static let mark = ThreadMark()

    /// Calls a function of the application's, which may fork: on one of these threads a child must not come back from there.
    static func callOut<Result>(_ body: () -> Result) -> Result {
        mark.isSet ? ForkedProcess.callOut(body) : body()
    }

    /// What connecting asks the application and the file system for, on behalf of suspended callers.
    static let forConnecting = HelperThreads(name: "lws-helper", most: 16)

    func run(_ job: Job) {
        let mayRun = state.withLock { state in
            // Those whose callers have given up are dropped here, so the line is no longer than the callers are.
            state.waiting.removeAll(where: \.deadline.hasPassed)
            guard state.running < most else {
                state.waiting.append(job)
                return false
            }
            state.running += 1
            return true
        }
        guard mayRun else { return }
        do throws(LoopError) {
            try LoopThread(name: name) { self.work(job) }.detach()
        } catch {
            // Where no thread is left to come back to the line, nobody would serve it.
            let stranded = state.withLock { state in
                state.running -= 1
                guard state.running == 0 else { return [Job]() }
                defer { state.waiting = [] }
                return state.waiting
            }
            for job in [job] + stranded { job.refuse(error) }
        }
    }

    private func work(_ first: Job) {
        var next: Job? = first
        while let job = next {
            Self.mark.whileSet { job.run() }
            next = state.withLock { state in
                state.waiting.removeAll(where: \.deadline.hasPassed)
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }
}

// MARK: - The time limits of suspended callers

/// A call's deadline, and the loop whose timers tell a suspended caller of it, if one runs.
struct TimeLimit: Sendable {
    let deadline: Deadline
    /// Keeps the loop running.
    private let lease: LoopLease?

    static let none = TimeLimit(deadline: .never, lease: nil)

    init(deadline: Deadline, lease: LoopLease?) {
        self.deadline = deadline
        self.lease = lease
    }

    var hasPassed: Bool { deadline.hasPassed }

    /// Suspends until the signal, the deadline or the task's cancellation. The caller looks which it was.
    func wait(for signal: TaskSignal) async { await signal.wait(until: deadline, by: lease?.loop) }
}

extension WebSocketError {
    /// The task of a call was cancelled.
    /// - Parameters:
    ///   - what: what has become of the call.
    ///   - mayBeRepeated: whether it has left nothing behind.
    static func cancelled(_ what: String, host: String, mayBeRepeated: Bool = true) -> WebSocketError {
        WebSocketError(
            .cancelled, "The task was cancelled: \(what)", host: host, mayBeRepeated: mayBeRepeated)
    }
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
