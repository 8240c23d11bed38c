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

    /// Makes another connection in place of the lost one, on a thread of its own. That holds the link, never the
    /// client, so that the client can go; the link's end interrupts it.
    func startReconnecting(_ loss: WebSocketError) {
        do throws(LoopError) {
            try LoopThread(name: "lws-reconnect") { [self] in
                reconnected(after: loss) { () throws(WebSocketError) in try makeConnection(after: loss) }
            }.detach()
        } catch {
            let failure = WebSocketError(
                .connection, "The lost connection to \(origin.url.host) could not be made again: \(error)",
                host: origin.url.host, closure: loss.closure)
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
        if let closed = closedError { throw closed }
        guard failure.isWorthAnotherAttempt else { throw failure }
    }

    /// What comes before an attempt.
    /// - Throws: `failure` where there is to be none.
    func planRetry(_ attempt: Int, after failure: WebSocketError) throws(WebSocketError) -> WebSocketRetryEvent {
        guard let retry = configuration.retryConfig, retry.allows(attempt: attempt) else { throw failure }
        let wait = retry.wait(before: attempt)
        events.tell(WebSocketEvent(.reconnecting, attempt: attempt + 1, wait: wait, error: failure))
        return WebSocketRetryEvent(attempt: attempt, wait: wait, error: failure)
    }

    /// Tells the application of a wait, on this thread.
    func announce(_ retry: WebSocketRetryEvent) {
        guard let onRetry = configuration.retryConfig?.onRetry, closedError == nil else { return }
        state.withLock { $0.notifier = pthread_self() }
        onRetry(retry)
        state.withLock { $0.notifier = nil }
    }

    /// Waits before an attempt.
    /// - Throws: `connectionClosure` where the client is closed.
    private func pause(_ retry: WebSocketRetryEvent) throws(WebSocketError) {
        announce(retry)
        let semaphore = MonotonicSemaphore()
        cancellation.watched(by: { semaphore.signal() }) { _ = semaphore.wait(until: Deadline(after: retry.wait)) }
        if let closed = closedError { throw closed }
    }

    /// One attempt, with the redirects that it meets.
    private func makeAttempt(_ number: Int) throws(WebSocketError) {
        var attempt = beginAttempt(number)
        while true {
            let connection = try install(attempt.destination)
            let setup = try prepare(attempt)
            do throws(WebSocketError) {
                let request = try attempt.request(setup)
                try connection.open(
                    until: attempt.deadline, timeout: attempt.timeout, resolver: resolver
                ) { addresses, deadline throws(WebSocketError) in
                    ClientTransport(
                        connection, request, to: addresses, until: deadline, tls: setup.tls,
                        on: try loop.lease())
                }
                return
            } catch {
                try goOn(&attempt, after: error, setup)
            }
        }
    }

    /// One attempt to connect, all within one time limit, as far as it has come.
    struct Attempt: Sendable {
        var destination: Destination
        /// The 401 to the try before.
        var refusal: AuthenticationRefusal?
        let timeout: Duration
        let deadline: Deadline

        func request(_ setup: Setup) throws(WebSocketError) -> HandshakeRequest {
            try destination.request.adding(setup.credentials, host: destination.url.host)
        }
    }

    /// What a try needs that may take long to get.
    struct Setup: Sendable {
        var tls: TLSContext?
        var credentials: HTTPFields = [:]
    }

    func beginAttempt(_ number: Int) -> Attempt {
        let timeout = configuration.effectiveHandShakeTimeout
        events.tell(WebSocketEvent(.connecting, attempt: number))
        return Attempt(destination: origin, timeout: timeout, deadline: Deadline(after: timeout))
    }

    /// Reads files, and asks for tokens. Blocks for as long as that takes.
    func prepare(_ attempt: Attempt) throws(WebSocketError) -> Setup {
        Setup(
            tls: try prepareTLS(attempt.destination),
            credentials: try authenticate(attempt.destination, after: attempt.refusal, until: attempt.deadline))
    }

    /// Another try, with other credentials or elsewhere.
    /// - Throws: `failure` where there is none.
    func goOn(
        _ attempt: inout Attempt, after failure: WebSocketError, _ setup: Setup
    ) throws(WebSocketError) {
        if attempt.refusal == nil,
            let seen = isWorthAnotherTry(failure, attempt.destination, sent: setup.credentials)
        {
            attempt.refusal = seen
            return
        }
        guard let next = try attempt.destination.redirected(by: failure, configuration) else { throw failure }
        attempt.destination = next
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
    func install(_ destination: Destination) throws(WebSocketError) -> Connection {
        try state.withLock { state throws(WebSocketError) in
            if let closed = state.closedError { throw closed }
            // The first one is there from the start. One to another server may be unused, where its attempt failed before it
            // could be opened; what is meant for this server must not go there.
            let isUnused = state.connection.phase == .unconnected
            if !isUnused || state.connection.route != destination.route {
                state.connection = connection(to: destination, after: state.connection)
            }
            return state.connection
        }
    }

    var closedError: WebSocketError? { state.withLock { $0.closedError } }

    // MARK: - Closing

    /// How the last connection ended, where there will be no other unless somebody asks for it.
    var closure: WebSocketError.Closure? {
        state.withLock { state in
            let last = state.connection.query { $0.phase == .ended && $0.hasOpened ? $0.ending?.closure : nil }
            return switch state.phase {
            case .reconnecting: nil
            case .open: last
            case .over(let error): last ?? error?.closure
            case .fresh, .connecting: state.closedError?.closure
            }
        }
    }

    /// Closes the connection and ends all making of others. Blocks as ``Connection/close(_:timeout:)`` does.
    func close(_ frame: CloseFrame, timeout: Duration?) throws(WebSocketError) {
        try connection.checkMayBlock()
        try endConnecting(frame).close(frame, timeout: timeout)
        tellIfOver()
    }

    /// Closes because nobody refers to the client any more; does not block. In a forked child the connection is the
    /// parent's.
    func abandon() {
        guard !ForkedProcess.isCurrent else { return }
        endConnecting(.goingAway).abandon()
        tellIfOver()
    }

    /// The client was closed. Of the end of an open connection that itself tells.
    func tellIfOver() {
        guard events.isWatched, let error = closedError, connection.phase == .ended else { return }
        events.tell(WebSocketEvent(.closed, closure: error.closure))
    }

    func endConnecting(_ frame: CloseFrame) -> Connection {
        let (connection, cancellation) = state.withLock { state in
            let error = state.closedError ?? Ending(initiator: .local, sent: frame).error(host: origin.url.host)
            state.closedError = error
            if case .reconnecting = state.phase {
                state.phase = .over(error)
                state.failAll(error)
            }
            return (state.connection, state.cancellation)
        }
        cancellation?.cancel()
        return connection
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
