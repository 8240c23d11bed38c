// The handshake as its caller sees it: one deadline over resolving, connecting and the upgrade.

internal import LWSServiceLoop
internal import Logging

extension Connection {
    /// Makes the transport that is to connect to the first of these addresses that can be reached.
    typealias TransportMaker = ([ResolvedAddress], Deadline) throws(WebSocketError) -> any Transport

    /// Resolves the URL's host, connects and does the handshake. Returns when the connection is open.
    /// - Parameter timeout: what the deadline comes from, for the words of an error.
    func open(
        until deadline: Deadline, timeout: Duration, resolver: any NameResolver, makeTransport: TransportMaker
    ) throws(WebSocketError) {
        let opener = MonotonicSemaphore()
        try begin(waking: .blocked(opener))
        do throws(WebSocketError) {
            let addresses = try resolve(resolver, opener, deadline, timeout)
            try start(toward: addresses, until: deadline, by: makeTransport)
        } catch {
            openingFailed(error)
            throw error
        }
        if !opener.wait(until: deadline) {
            giveUp()
            throw timedOut(timeout)
        }
        // The peer may have closed before this thread looked. It was open then; the next call says what came.
        guard !query({ $0.hasOpened }) else { return }
        throw openingFailure ?? notOpenError(phase)
    }

    func begin(waking opener: CallerSignal) throws(WebSocketError) {
        guard query({ $0.beginConnecting(waking: opener) }) else {
            throw WebSocketError(
                .invalidArgument, "connect() was called before on this client; make a new one", host: url.host)
        }
        log.write(.debug, "connecting", ["ws_server": .string(url.origin)])
    }

    /// Has the loop connect to what the look-up has given.
    func start(
        toward addresses: [ResolvedAddress], until deadline: Deadline, by makeTransport: TransportMaker
    ) throws(WebSocketError) {
        log.resolved(route, to: addresses)
        trace?.lookedUp()
        let transport = try makeTransport(addresses, deadline)
        if adopt(transport) { transport.start() }
    }

    func timedOut(_ timeout: Duration) -> WebSocketError {
        WebSocketError(
            .handshakeTimedOut,
            "Connecting to \(url.host) took longer than \(timeout): \(openingStep.words); raise handShakeTimeout or check the "
                + "server", host: url.host)
    }

    /// Looks the host's name up, off this thread, so that `close` and the deadline can end the wait.
    private func resolve(
        _ resolver: any NameResolver, _ opener: MonotonicSemaphore, _ deadline: Deadline, _ timeout: Duration
    ) throws(WebSocketError) -> [ResolvedAddress] {
        let lookUp = LookUp(for: route, by: resolver, until: deadline) { opener.signal() }
        guard opener.wait(until: deadline) else {
            giveUp()
            throw timedOut(timeout)
        }
        guard let addresses = try lookUp.addresses() else { throw notOpenError(phase) }
        return addresses
    }
}

// MARK: - How far a connection has come that is being made

/// What an attempt to connect waits for, to be named where the time is up.
enum OpeningStep: Sendable, Hashable {
    /// The name has been handed to the system's resolver.
    case resolving
    /// TCP, to this address.
    case connecting(ResolvedAddress)
    /// TCP is connected to a proxy of this name, which has been asked for a tunnel.
    case proxy(String)
    /// The TLS handshake.
    case securing
    /// The answer to the upgrade's request.
    case answer

    /// What begins, in the words of logs and traces.
    var name: String {
        switch self {
        case .resolving: "looking up"
        case .connecting: "TCP is connecting"
        case .proxy: "asking the proxy"
        case .securing: "TLS handshake"
        case .answer: "asking for the upgrade"
        }
    }

    /// What has not happened.
    var words: String {
        switch self {
        case .resolving: "the look-up of its name did not answer"
        case .connecting(let address): "nobody answered at \(address.numeric)"
        case .proxy(let name): "the proxy \(name) did not answer"
        case .securing: "its TLS handshake was not complete"
        case .answer: "it did not answer the WebSocket handshake"
        }
    }
}
