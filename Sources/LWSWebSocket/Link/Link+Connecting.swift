// Making connections: the first, and those that follow a lost one.

internal import HTTPTypes
internal import LWSServiceLoop
internal import Logging

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Link {
    /// Connects for the first time, on the caller's thread. Once.
    func connect() throws(WebSocketError) {
        try checkMayBlock()
        let isFirst = state.withLock { state in
            guard case .fresh = state.phase, state.closedError == nil else { return false }
            state.phase = .connecting
            return true
        }
        guard isFirst else {
            throw WebSocketError(
                .invalidArgument, "connect() was called before on this client; make a new one",
                host: origin.url.host)
        }
        do throws(WebSocketError) {
            try makeConnection(after: nil)
            state.withLock { $0.phase = .open }
        } catch {
            state.withLock { $0.phase = .over($0.closedError) }
            throw error
        }
    }

    /// Makes another connection in place of the lost one, on a thread of its own. That holds the link, never the
    /// client, so that the client can go; the link's end interrupts it.
    func startReconnecting(_ loss: WebSocketError) {
        do throws(LoopError) {
            try LoopThread(name: "lws-reconnect") { self.reconnect(after: loss) }.detach()
        } catch {
            let failure = WebSocketError(
                .connection, "The lost connection to \(origin.url.host) could not be made again: \(error)",
                host: origin.url.host, closure: loss.closure)
            // A later call may find a thread.
            settle(as: .open) { $0.failAll(failure) }
        }
    }

    private func reconnect(after loss: WebSocketError) {
        do throws(WebSocketError) {
            try makeConnection(after: loss)
            settle(as: .open) { $0.admitAll() }
        } catch {
            let later = WebSocketError(
                .connectionClosure,
                "The connection to \(origin.url.host) was lost without a close frame (1006), and could not be made "
                    + "again: \(error)", host: origin.url.host, closure: loss.closure)
            settle(as: .over(later)) { $0.failAll(error) }
        }
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
            try pause(before: attempt, loss)
            attempt = 1
        }
        while true {
            do throws(WebSocketError) {
                try makeAttempt()
                return
            } catch {
                if let closed = closedError { throw closed }
                guard error.isWorthAnotherAttempt else { throw error }
                try pause(before: attempt, error)
                attempt += 1
            }
        }
    }

    /// Waits as long as the configuration says before an attempt.
    /// - Throws: `failure` where there is to be no other attempt; `connectionClosure` where the client is closed.
    private func pause(before attempt: Int, _ failure: WebSocketError) throws(WebSocketError) {
        guard let retry = configuration.retryConfig, retry.allows(attempt: attempt) else { throw failure }
        let wait = retry.wait(before: attempt)
        if let onRetry = retry.onRetry, closedError == nil {
            state.withLock { $0.notifier = pthread_self() }
            onRetry(WebSocketRetryEvent(attempt: attempt, wait: wait, error: failure))
            state.withLock { $0.notifier = nil }
        }
        _ = interruption.wait(until: Deadline(after: wait))
        if let closed = closedError { throw closed }
    }

    /// One attempt, with the redirects that it meets, all within one time limit.
    private func makeAttempt() throws(WebSocketError) {
        let timeout = configuration.effectiveHandShakeTimeout
        let deadline = Deadline(after: timeout)
        var destination = origin
        var refusal: AuthenticationRefusal?
        while true {
            let connection = try install(destination)
            let tls = try prepareTLS(destination)
            let credentials = try authenticate(destination, after: refusal, until: deadline)
            do throws(WebSocketError) {
                let request = try destination.request.adding(credentials, host: destination.url.host)
                try connection.open(
                    until: deadline, timeout: timeout, resolver: resolver
                ) { addresses, deadline throws(WebSocketError) in
                    ClientTransport(
                        connection, request, to: addresses, until: deadline, tls: tls,
                        on: try loop.lease())
                }
                return
            } catch {
                if refusal == nil, let seen = isWorthAnotherTry(error, destination, sent: credentials) {
                    refusal = seen
                    continue
                }
                guard let next = try destination.redirected(by: error, configuration) else { throw error }
                destination = next
            }
        }
    }

    /// What an attempt over TLS is made with. The client keeps it, so that what a later connection needs is there.
    private func prepareTLS(_ destination: Destination) throws(WebSocketError) -> TLSContext? {
        guard let settings = destination.secureSocket else { return nil }
        if !settings.enable, state.withLock({ $0.noteUnverified() }) {
            configuration.logger.warning(
                "The certificate of \(destination.url.host) is not verified, for secureSocket.enable is false")
        }
        let context = try TLSContextPool.shared.context(for: settings)
        state.withLock { $0.tls = context }
        return context
    }

    /// Makes the connection of an attempt the one of now, so that `close` reaches it.
    private func install(_ destination: Destination) throws(WebSocketError) -> Connection {
        try state.withLock { state throws(WebSocketError) in
            if let closed = state.closedError { throw closed }
            // The first one is there from the start.
            if state.connection.phase != .unconnected {
                state.connection = connection(to: destination, after: state.connection)
            }
            return state.connection
        }
    }

    private var closedError: WebSocketError? { state.withLock { $0.closedError } }

    // MARK: - Closing

    /// Closes the connection and ends all making of others. Blocks as ``Connection/close(_:timeout:)`` does.
    func close(_ frame: CloseFrame, timeout: Duration?) throws(WebSocketError) {
        try connection.checkMayBlock()
        try endConnecting(frame).close(frame, timeout: timeout)
    }

    /// Closes because nobody refers to the client any more; does not block.
    func abandon() { endConnecting(.goingAway).abandon() }

    private func endConnecting(_ frame: CloseFrame) -> Connection {
        defer {
            interruption.signal()
            cancellation.cancel()
        }
        return state.withLock { state in
            let error = state.closedError ?? Ending(initiator: .local, sent: frame).error(host: origin.url.host)
            state.closedError = error
            if case .reconnecting = state.phase {
                state.phase = .over(error)
                state.failAll(error)
            }
            return state.connection
        }
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
