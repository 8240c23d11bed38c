// Making connections: the first, and those that follow a lost one.

internal import HTTPTypes
internal import LWSServiceLoop
internal import Logging

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Reconnector {
    /// Connects for the first time, on the caller's thread. Once.
    func connect() throws(WebSocketError) {
        try checkMayBlock()
        try beginConnecting()
        do throws(WebSocketError) {
            try makeConnection(after: nil)
            state.withLock { $0.phase = .open }
        } catch {
            connectingFailed(error)
            throw error
        }
    }

    func beginConnecting() throws(WebSocketError) {
        if let text = Announcement.ofLibrary.claim(for: configuration.logger) {
            connection.log.write(.debug, "\(text)")
        }
        try state.withLock { state throws(WebSocketError) in
            guard case .fresh = state.phase else {
                throw WebSocketError(
                    .invalidArgument, "connect() was called before on this client; make a new one",
                    host: origin.url.host)
            }
            if let closed = state.closedError { throw closed }
            state.phase = .connecting
        }
    }

    /// There is no first connection, and will be none.
    func connectingFailed(_ error: WebSocketError) {
        state.withLock { $0.phase = .over($0.closedError) }
        events.tell(WebSocketEvent(.closed, error: error, closure: error.closure))
    }

    /// Makes another connection in place of the lost one, on a thread of its own. That holds the reconnector, never the
    /// client, so that the client can go; the reconnector's end interrupts it.
    func startReconnecting(_ loss: WebSocketError) {
        let context = CallerContext()
        do throws(LoopError) {
            try LoopThread(name: "lws-reconnect") { [self] in
                context.run {
                    reconnected(after: loss) { () throws(WebSocketError) in try makeConnection(after: loss) }
                }
            }.detach()
        } catch {
            let failure = WebSocketError(
                .connection, "The lost connection to \(origin.url.host) could not be made again: \(error)",
                host: origin.url.host, closure: loss.closure)
            connection.log.write(.info, "the lost connection is not made again yet", failure.facts)
            // A later call may find a thread.
            settle(as: .open) { $0.failAll(failure) }
        }
    }

    private func reconnected(after loss: WebSocketError, _ make: () throws(WebSocketError) -> Void) {
        do throws(WebSocketError) {
            try make()
            reconnectingSucceeded()
        } catch {
            reconnectingFailed(error, after: loss)
        }
    }

    func reconnectingSucceeded() { settle(as: .open) { $0.admitAll() } }

    func reconnectingFailed(_ error: WebSocketError, after loss: WebSocketError) {
        let later = WebSocketError(
            .connectionClosure,
            "The connection to \(origin.url.host) was lost without a close frame (1006), and could not be made "
                + "again: \(error)", host: origin.url.host, closure: loss.closure)
        settle(as: .over(later)) { $0.failAll(error) }
        connection.log.write(.info, "the lost connection is not made again", error.facts)
        events.tell(WebSocketEvent(.closed, error: error, closure: loss.closure))
    }

    /// Ends the reconnecting, unless `close` has.
    private func settle(as phase: Phase, _ change: (inout State) -> Void) {
        state.withLock { state in
            guard case .reconnecting = state.phase else { return }
            state.phase = phase
            change(&state)
        }
    }

    // MARK: - Attempts

    /// Makes attempts until one succeeds or no other is allowed. Blocks.
    private func makeConnection(after loss: WebSocketError?) throws(WebSocketError) {
        var attempt = 0
        if let loss {
            try pause(planRetry(attempt, after: loss))
            attempt = 1
        }
        while true {
            do throws(WebSocketError) {
                try makeAttempt(attempt)
                return
            } catch {
                try checkRetry(after: error)
                try pause(planRetry(attempt, after: error))
                attempt += 1
            }
        }
    }

    /// - Throws: where there is to be no other attempt after one that failed: the failure, or `connectionClosure` where the
    ///   client is closed.
    func checkRetry(after failure: WebSocketError) throws(WebSocketError) {
        // In a child that has come back from the application's code, whoever is told would have it wait.
        guard !ForkedProcess.isCurrent else { throw failure }
        tellOfFailure(failure)
        if let closed = closedError { throw closed }
        guard failure.isWorthAnotherAttempt else { throw failure }
    }

    /// What comes before an attempt.
    /// - Throws: `failure` where there is to be none.
    func planRetry(_ attempt: Int, after failure: WebSocketError) throws(WebSocketError) -> WebSocketRetryEvent {
        guard let retry = configuration.retryConfig, retry.allows(attempt: attempt) else { throw failure }
        let wait = retry.wait(before: attempt)
        events.tell(WebSocketEvent(.reconnecting, attempt: attempt + 1, wait: wait, error: failure))
        connection.log.write(
            .info, "connecting again after a wait",
            failure.facts.merging([
                "ws_attempt": .stringConvertible(attempt + 1), "ws_wait": .stringConvertible(wait),
            ]) { $1 })
        return WebSocketRetryEvent(attempt: attempt, wait: wait, error: failure)
    }

    /// Tells the application of a wait, on this thread.
    func announce(_ retry: WebSocketRetryEvent) {
        guard let onRetry = configuration.retryConfig?.onRetry, closedError == nil else { return }
        state.withLock { $0.notifier = pthread_self() }
        HelperThreads.callOut { onRetry(retry) }
        // The locks of another process may be taken for ever.
        guard !ForkedProcess.isCurrent else { return }
        state.withLock { $0.notifier = nil }
    }

    /// Waits before an attempt.
    /// - Throws: `connectionClosure` where the client is closed.
    private func pause(_ retry: WebSocketRetryEvent) throws(WebSocketError) {
        announce(retry)
        try WebSocketError.refuseInForkedProcess(host: origin.url.host)
        let semaphore = MonotonicSemaphore()
        cancellation.watched(by: { semaphore.signal() }) { _ = semaphore.wait(until: Deadline(after: retry.wait)) }
        try checkStillWanted()
    }

    /// - Throws: `connectionClosure` where the client was closed while it waited for its next attempt.
    func checkStillWanted() throws(WebSocketError) {
        guard let closed = closedError else { return }
        connection.log.write(.debug, "the client was closed; not connecting again")
        throw closed
    }
}

extension WebSocketError {
    /// Whether a failure to connect may not occur again: the server was not there, too slow, or in trouble.
    fileprivate var isWorthAnotherAttempt: Bool {
        switch code {
        case .handshakeTimedOut: true
        // With an answer it is a proxy's.
        case .connection: httpResponse.map { $0.status.kind == .serverError } ?? true
        case .invalidHandshake: httpResponse?.status.kind == .serverError
        case .ssl, .auth: isRetriable
        default: false
        }
    }
}
