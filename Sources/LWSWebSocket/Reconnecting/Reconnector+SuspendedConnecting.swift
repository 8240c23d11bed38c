// Making connections without blocking a thread: what `Reconnector+Connecting` does, step by step, for suspended callers.

internal import HTTPTypes
internal import LWSServiceLoop

extension Reconnector {
    /// Connects for the first time, on behalf of a task. Once.
    func connectSuspended() async throws(WebSocketError) {
        try checkMayBegin()
        try beginConnecting()
        do throws(WebSocketError) {
            try await makeConnection(after: nil)
            state.withLock { $0.phase = .open }
        } catch {
            // Nothing goes on without anybody who wants it.
            if error.code == .cancelled { endConnecting(.goingAway).abandon() }
            connectingFailed(error)
            throw error
        }
    }

    /// Makes another connection in place of the lost one, in a task of its own, where it was a suspended caller who met the
    /// loss: ten thousand of them may do so at once. It holds the reconnector, never the client.
    func reconnectSuspended(after loss: WebSocketError) {
        let context = CallerContext()
        Task.detached { [self] in
            await context.run {
                do throws(WebSocketError) {
                    try await makeConnection(after: loss)
                    reconnectingSucceeded()
                } catch {
                    reconnectingFailed(error, after: loss)
                }
            }
        }
    }

    private func makeConnection(after loss: WebSocketError?) async throws(WebSocketError) {
        var attempt = 0
        if let loss {
            try await pause(planRetry(attempt, after: loss))
            attempt = 1
        }
        while true {
            do throws(WebSocketError) {
                try await makeAttempt(attempt)
                return
            } catch {
                try checkRetry(after: error)
                try await pause(planRetry(attempt, after: error))
                attempt += 1
            }
        }
    }

    private func pause(_ retry: WebSocketRetryEvent) async throws(WebSocketError) {
        if configuration.retryConfig?.onRetry != nil {
            // It is the application's, and may block.
            try await onHelper(.forConnecting, .none) { [self] () throws(WebSocketError) in announce(retry) }
        }
        let signal = TaskSignal()
        let key = cancellation.add { signal.signal() }
        defer { cancellation.remove(key) }
        let limit = limit(Deadline(after: retry.wait))
        while true {
            try checkStillWanted()
            if Task.isCancelled {
                throw .cancelled("connecting to \(origin.url.host) was given up", host: origin.url.host)
            }
            if limit.hasPassed { return }
            await limit.wait(for: signal)
        }
    }

    private func makeAttempt(_ number: Int) async throws(WebSocketError) {
        var attempt = beginAttempt(number)
        let limit = limit(attempt.deadline)
        while true {
            let connection = try install(attempt.destination)
            let setup = try await setup(for: attempt, limit)
            let trace = beginTrace(attempt, connection)
            do throws(WebSocketError) {
                let request = try attempt.request(setup, trace)
                let lease = try await leaseSuspended()
                try await connection.open(limit: limit, timeout: attempt.timeout, resolver: resolver) {
                    addresses, deadline throws(WebSocketError) in
                    ClientTransport(connection, request, to: addresses, until: deadline, tls: setup.tls, on: lease)
                }
                tellOfSuccess(attempt, connection, trace)
                return
            } catch {
                end(trace, attempt, connection, error)
                attempt = try await next(attempt, after: error, setup, limit)
            }
        }
    }

    /// Files and tokens are got elsewhere.
    private func setup(for attempt: Attempt, _ limit: TimeLimit) async throws(WebSocketError) -> Setup {
        guard attempt.destination.secureSocket != nil || configuration.auth != nil else { return Setup() }
        return try await onHelper(.forConnecting, limit) { [self] () throws(WebSocketError) in try prepare(attempt) }
    }

    private func next(
        _ attempt: Attempt, after failure: WebSocketError, _ setup: Setup, _ limit: TimeLimit
    ) async throws(WebSocketError) -> Attempt {
        let look = { @Sendable [self] () throws(WebSocketError) -> Attempt in
            var next = attempt
            try goOn(&next, after: failure, setup)
            return next
        }
        // An authenticator is asked what it thinks of a 401, and may take its time.
        let asksAuthenticator = failure.httpResponse?.status.code == 401 && configuration.auth != nil
        guard asksAuthenticator else { return try look() }
        return try await onHelper(.forConnecting, limit, look)
    }

    // MARK: - Waits and their help

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
        let context = CallerContext()
        threads.run(
            HelperThreads.Job(deadline: limit.deadline) {
                context.run {
                    do throws(WebSocketError) {
                        let value = try body()
                        outcome.withLock { $0 = .success(value) }
                    } catch {
                        outcome.withLock { $0 = .failure(error) }
                    }
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
