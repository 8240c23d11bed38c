// The time limits of suspended callers, and what they wait for on other threads.

internal import LWSServiceLoop

/// A call's deadline, and the loop whose timers tell a suspended caller of it, if one runs.
struct TimeLimit: Sendable {
    let deadline: Deadline
    /// Keeps the loop running.
    private let lease: LoopLease?

    static let none = TimeLimit(deadline: .never, lease: nil)

    fileprivate init(deadline: Deadline, lease: LoopLease?) {
        self.deadline = deadline
        self.lease = lease
    }

    var hasPassed: Bool { deadline.hasPassed }

    /// Suspends until the signal, the deadline or the task's cancellation. The caller looks which it was.
    func wait(for signal: TaskSignal) async { await signal.wait(until: deadline, by: lease?.loop) }
}

extension Link {
    /// Starts no loop, which might fail, for a clock alone.
    func limit(_ deadline: Deadline) -> TimeLimit {
        guard deadline.instant != nil else { return .none }
        return TimeLimit(deadline: deadline, lease: loop.leaseIfRunning())
    }

    /// Takes part in the loop. To start its thread takes a moment, in which this thread is not blocked.
    func leaseSuspended() async throws(WebSocketError) -> LoopLease {
        guard !loop.isRunning else { return try loop.lease() }
        return try await onHelper(.forStarting, .none) { [loop] () throws(WebSocketError) in try loop.lease() }
    }

    /// Has `body`, which may block, run elsewhere. Should the caller's task be cancelled, the client be closed or the time be
    /// up before, it goes on alone and nobody hears of its outcome.
    func onHelper<Value: Sendable>(
        _ threads: HelperThreads, _ limit: TimeLimit, _ body: @escaping @Sendable () throws(WebSocketError) -> Value
    ) async throws(WebSocketError) -> Value {
        let outcome = Locked<Result<Value, WebSocketError>?>(nil)
        let signal = TaskSignal()
        threads.run(
            HelperThreads.Job(deadline: limit.deadline) {
                do throws(WebSocketError) {
                    let value = try body()
                    outcome.withLock { $0 = .success(value) }
                } catch {
                    outcome.withLock { $0 = .failure(error) }
                }
                signal.signal()
            } refuse: { [host] error in
                outcome.withLock {
                    $0 = .failure(
                        WebSocketError(.connection, "The client could not be started: \(error)", host: host))
                }
                signal.signal()
            })
        let key = cancellation.add { signal.signal() }
        defer { cancellation.remove(key) }
        while true {
            if let outcome = outcome.withLock({ $0 }) { return try outcome.get() }
            if let closed = closedError { throw closed }
            if Task.isCancelled { throw .cancelled("connecting to \(host) was given up", host: host) }
            if limit.hasPassed {
                throw WebSocketError(
                    .handshakeTimedOut,
                    "Connecting to \(host) took too long: its files or credentials were not there in time; raise "
                        + "handShakeTimeout", host: host)
            }
            await limit.wait(for: signal)
        }
    }
}

extension HelperThreads {
    /// Starts loops, which never waits for long.
    fileprivate static let forStarting = HelperThreads(name: "lws-starter", most: 1)
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
