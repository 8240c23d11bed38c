// One attempt to connect: the tries that it takes, and what each of them needs.

internal import HTTPTypes
internal import LWSServiceLoop
internal import Logging

extension Reconnector {
    /// One attempt, with the redirects that it meets.
    func makeAttempt(_ number: Int) throws(WebSocketError) {
        var attempt = beginAttempt(number)
        while true {
            let connection = try install(attempt.destination)
            let setup = try prepare(attempt)
            let trace = beginTrace(attempt, connection)
            do throws(WebSocketError) {
                let request = try attempt.request(setup, trace)
                try connection.open(
                    until: attempt.deadline, timeout: attempt.timeout, resolver: resolver
                ) { addresses, deadline throws(WebSocketError) in
                    ClientTransport(
                        connection, request, to: addresses, until: deadline, tls: setup.tls,
                        on: try loop.lease())
                }
                tellOfSuccess(attempt, connection, trace)
                return
            } catch {
                end(trace, attempt, connection, error)
                try goOn(&attempt, after: error, setup)
            }
        }
    }

    /// One attempt to connect, all within one time limit, as far as it has come.
    struct Attempt: Sendable {
        var destination: Destination
        /// The 401 to the try before.
        var refusal: AuthenticationRefusal?
        let number: Int
        let beginning: LoopClock.Instant
        let timeout: Duration
        let deadline: Deadline

        func request(_ setup: Setup, _ trace: HandshakeTrace?) throws(WebSocketError) -> HandshakeRequest {
            let host = destination.url.host
            let request = try destination.request.adding(setup.credentials, host: host)
            return trace.map { request.adding(trace: $0.fields, host: host) } ?? request
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
        return Attempt(
            destination: origin, number: number, beginning: .now, timeout: timeout, deadline: Deadline(after: timeout)
        )
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
        let seen =
            attempt.refusal == nil ? isWorthAnotherTry(failure, attempt.destination, sent: setup.credentials) : nil
        try WebSocketError.refuseInForkedProcess(host: origin.url.host)
        if let seen {
            attempt.refusal = seen
            connection.log.write(.debug, "the credentials were refused; trying others", failure.facts)
            return
        }
        guard let next = try attempt.destination.redirected(by: failure, configuration) else { throw failure }
        connection.log.write(.debug, "following a redirect", ["ws_server": .string(next.url.origin)])
        attempt.destination = next
    }

    /// What an attempt over TLS is made with. The client keeps it, so that what a later connection needs is there.
    private func prepareTLS(_ destination: Destination) throws(WebSocketError) -> TLSContext? {
        guard let settings = destination.secureSocket else { return nil }
        if !settings.enable, state.withLock({ $0.noteUnverified() }) {
            connection.log.write(
                .warning,
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

    // MARK: - Metrics and traces

    /// The connection tells of its steps.
    func beginTrace(_ attempt: Attempt, _ connection: Connection) -> HandshakeTrace? {
        let destination = attempt.destination
        // What a trace carries along may be private, as the application's own fields.
        let trace = HandshakeTrace.begin(
            with: destination.url, attempt: attempt.number, tellsServer: !destination.hasLeftOrigin, connection.log)
        if let trace { connection.trace = trace }
        return trace
    }

    /// The try has failed, or was given up.
    func end(_ trace: HandshakeTrace?, _ attempt: Attempt, _ connection: Connection, _ failure: WebSocketError) {
        guard let trace else { return }
        let isFollowed = (try? attempt.destination.redirected(by: failure, configuration)) != nil
        trace.failed(closedError ?? failure, isFollowed: isFollowed)
        connection.trace = nil
    }

    func tellOfSuccess(_ attempt: Attempt, _ connection: Connection, _ trace: HandshakeTrace?) {
        if ClientMetrics.isOn { metrics.connected(after: .now - attempt.beginning) }
        guard let trace else { return }
        trace.opened(connection.response, connection.tlsInfo)
        connection.trace = nil
    }

    /// The attempt has failed. What the application has given up itself, by closing the client or cancelling its task, has not.
    func tellOfFailure(_ failure: WebSocketError) {
        connection.log.write(.debug, "could not connect", failure.facts)
        if closedError == nil, failure.code != .cancelled { metrics.failed(failure) }
    }

    // MARK: - Credentials

    /// What the request has to say of who the client is. Blocks for as long as that takes.
    /// - Parameter refusal: the 401 to the try before, in the same attempt.
    /// - Throws: `auth`.
    func authenticate(
        _ destination: Destination, after refusal: AuthenticationRefusal?, until deadline: Deadline
    ) throws(WebSocketError) -> HTTPFields {
        guard let authenticator = authenticator(for: destination) else { return [:] }
        let request = HTTPRequest(
            method: .get, scheme: destination.url.isSecure ? "wss" : "ws", authority: destination.request.authority,
            path: destination.request.target, headerFields: destination.request.fields)
        let surroundings = AuthenticationSurroundings(
            proxy: configuration.proxy, localAddress: configuration.localAddress, log: connection.log,
            loop: loop, resolver: resolver, deadline: deadline, cancellation: cancellation)
        let outcome = HelperThreads.callOut {
            Result { () throws(AuthenticationError) in
                try authenticator.headerFields(
                    for: AuthenticationRequest(request, after: refusal?.response, surroundings))
            }
        }
        try WebSocketError.refuseInForkedProcess(host: origin.url.host)
        do throws(AuthenticationError) { return try outcome.get() } catch {
            throw WebSocketError(
                .auth, "There are no credentials for \(destination.url.host): \(error)", host: destination.url.host,
                libraryDetail: error.detail, isTransient: error.isTransient)
        }
    }

    /// Tells the authenticator of a 401. Returns it where another try may go better.
    func isWorthAnotherTry(
        _ failure: WebSocketError, _ destination: Destination, sent credentials: HTTPFields
    ) -> AuthenticationRefusal? {
        guard failure.code == .invalidHandshake, let response = failure.httpResponse, response.status.code == 401,
            let authenticator = authenticator(for: destination)
        else { return nil }
        let refusal = AuthenticationRefusal(response, sent: credentials)
        return HelperThreads.callOut { authenticator.wasRefused(refusal) } ? refusal : nil
    }

    /// Credentials stay with the origin that they were given for.
    private func authenticator(for destination: Destination) -> (any HandshakeAuthenticator)? {
        destination.hasLeftOrigin ? nil : configuration.auth?.authenticator
    }
}
