// The waits of suspended callers: what blocked ones do on semaphores, by the same state.

internal import LWSServiceLoop

extension Connection {
    // MARK: - Opening

    /// As ``open(until:timeout:resolver:makeTransport:)``, without blocking.
    func open(
        limit: TimeLimit, timeout: Duration, resolver: any NameResolver, makeTransport: TransportMaker
    ) async throws(WebSocketError) {
        let signal = TaskSignal()
        try begin(waking: .suspended(signal))
        do throws(WebSocketError) {
            let addresses = try await resolve(resolver, signal, limit, timeout)
            try start(toward: addresses, until: limit.deadline, by: makeTransport)
        } catch {
            openingFailed(error)
            throw error
        }
        while phase == .connecting {
            try checkOpening(limit, timeout)
            await limit.wait(for: signal)
        }
        guard !query({ $0.hasOpened }) else { return }
        throw openingFailure ?? notOpenError(phase)
    }

    private func resolve(
        _ resolver: any NameResolver, _ signal: TaskSignal, _ limit: TimeLimit, _ timeout: Duration
    ) async throws(WebSocketError) -> [ResolvedAddress] {
        let lookUp = LookUp(for: route, by: resolver, until: limit.deadline) { signal.signal() }
        while true {
            guard phase == .connecting else { throw notOpenError(phase) }
            if let addresses = try lookUp.addresses() { return addresses }
            try checkOpening(limit, timeout)
            await limit.wait(for: signal)
        }
    }

    /// - Throws: where nobody waits for the opening any more.
    private func checkOpening(_ limit: TimeLimit, _ timeout: Duration) throws(WebSocketError) {
        if Task.isCancelled {
            giveUp()
            throw .cancelled("connecting to \(url.host) was given up", host: url.host)
        }
        if limit.hasPassed {
            giveUp()
            throw timedOut(timeout)
        }
    }

    // MARK: - Reading

    enum ReadResult {
        case served(InboundQueue.Served)
        case timedOut
        /// The reader may have been given a message.
        case cancelled
    }

    /// Waits in line.
    func wait(for reader: InboundQueue.Reader, _ signal: TaskSignal, _ limit: TimeLimit) async -> ReadResult {
        transport?.attend()
        while true {
            if Task.isCancelled { return .cancelled }
            if let served = query({ $0.inbound.collect(reader) }) { return .served(served) }
            if limit.hasPassed {
                // It may have been handed over in the last moment.
                return query { $0.inbound.withdraw(reader) }.map(ReadResult.served) ?? .timedOut
            }
            await limit.wait(for: signal)
        }
    }

    // MARK: - Writing

    /// As ``sendNow(_:)``, without waiting for others who hold the loop.
    func trySendNow(_ message: OutgoingMessage) -> Entry {
        guard let transport = enterOffLoop(message) else { return .refused }
        trySendQueued(by: transport)
        return query { _ in message.outcome } == .sent ? .sent : .queued
    }

    /// As ``sendQueued()``, without waiting for others who hold the loop.
    func trySendQueued() {
        if let transport { trySendQueued(by: transport) }
    }

    private func trySendQueued(by transport: any Transport) {
        if !transport.trySendNow() { transport.requestWrite() }
    }

    enum SendResult {
        case ended(OutgoingMessage.Outcome)
        /// The time is up: see ``WriteResult``.
        case withdrawn, begun
        case cancelled(hasBegun: Bool)
    }

    /// Waits until every byte of a queued message is with the operating system.
    func wait(for message: OutgoingMessage, _ signal: TaskSignal, _ limit: TimeLimit) async -> SendResult {
        while true {
            let outcome = query { _ in
                if message.outcome == nil { message.wakes(signal) }
                return message.outcome
            }
            if let outcome { return .ended(outcome) }
            if Task.isCancelled {
                return switch query({ $0.letGo(message) }) {
                case .late(let outcome): .ended(outcome)
                case .withdrawn: .cancelled(hasBegun: false)
                case .begun: .cancelled(hasBegun: true)
                }
            }
            if limit.hasPassed {
                return switch takeBack(message) {
                case .ended(let outcome): .ended(outcome)
                case .withdrawn: .withdrawn
                case .begun: .begun
                }
            }
            await limit.wait(for: signal)
        }
    }

    // MARK: - Closing

    /// How long a connection may go on after the task that closes it was cancelled: as long as one that was dropped.
    private static let unattendedClose = Duration.seconds(5)

    /// As ``close(_:timeout:)``, without blocking.
    func close(_ frame: CloseFrame, _ limit: TimeLimit) async throws(WebSocketError) {
        let signal = TaskSignal()
        let mustWait = update { state in
            let effects = state.close(with: frame)
            return (state.waitForEnd(waking: .suspended(signal)), effects)
        }
        guard mustWait else { return }
        while phase != .ended {
            if Task.isCancelled {
                transport?.endAfter(Self.unattendedClose)
                throw .cancelled(
                    "the connection to \(url.host) is being closed without anybody's waiting for it", host: url.host)
            }
            if limit.hasPassed { return giveUp() }
            await limit.wait(for: signal)
        }
    }
}
