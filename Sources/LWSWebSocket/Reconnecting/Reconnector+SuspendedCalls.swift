// Reads and writes of suspended callers that outlive a connection.

internal import LWSServiceLoop

extension Reconnector {
    /// As ``read(_:timeout:)``, without blocking: in the same line as those who are blocked.
    func receive(_ wish: InboundQueue.Wish, timeout: Duration?) async throws(WebSocketError) -> WebSocketMessage {
        try checkMayBegin()
        if let message = takeNow(wish) { return message }
        // A call's time and its place in line are those of its beginning.
        var (call, connection) = try begin(reading: true, timeout: timeout)
        let limit = limit(call.deadline)
        let signal = TaskSignal()
        var result = connection?.enter(wish, waking: signal) ?? .served(.ended)
        while true {
            let served: InboundQueue.Served
            switch result {
            case .served(let now): served = now
            case .wait(let reader):
                switch await wait(for: reader, of: connection, signal, limit) {
                case .served(let later): served = later
                case .timedOut: throw readTimedOut(timeout)
                case .cancelled:
                    throw .cancelled("no message was taken, and the connection to \(host) is as it was", host: host)
                }
            }
            switch served {
            case .message(let message): return message
            case .otherKind(let kind): throw unexpectedKind(kind, wish)
            case .ended:
                (connection, result) = try await enterNext(after: connection, call, signal, limit) {
                    $0.enter(wish, waking: signal)
                }
            }
        }
    }

    /// Waits in line. Where the task is cancelled the reader has left the line when the cancelling call returns, so that who
    /// reads next comes behind nobody.
    func wait(
        for reader: InboundQueue.Reader, of connection: Connection?, _ signal: TaskSignal, _ limit: TimeLimit
    ) async -> Connection.ReadResult {
        guard let connection else { return .served(.ended) }
        let result = await withTaskCancellationHandler {
            await connection.wait(for: reader, signal, limit)
        } onCancel: {
            giveUp(reader, of: connection)
        }
        // The handler may still run.
        if case .cancelled = result { giveUp(reader, of: connection) }
        return result
    }

    /// The reader's task is cancelled: a message that was taken for it goes to the next one, in the order in which it came. It
    /// may be another connection by now that holds what was not read.
    private func giveUp(_ reader: InboundQueue.Reader, of connection: Connection) {
        let woken = state.withLock { state -> InboundQueue.Woken? in
            let current = state.connection
            if current === connection { return current.query { $0.inbound.giveUp(reader) } }
            guard let message = connection.query({ $0.inbound.reclaim(reader) }) else { return nil }
            return current.query { $0.inbound.putBack(message, number: reader.number) }
        }
        woken?.signal()
    }

    /// As ``write(_:timeout:)``, without blocking.
    func send(_ message: OutgoingMessage, timeout: Duration?) async throws(WebSocketError) {
        try checkMayBegin()
        let deadline = Deadline(after: timeout)
        let first = self.connection
        if configuration.loggedPayloadBytes > 0 { first.log.sent(message) }
        let entry = first.trySendNow(message)
        if entry == .sent { return }
        let limit = limit(deadline)
        let signal = TaskSignal()
        var (call, connection) = try begin(reading: false, timeout: timeout)
        var isQueued = entry == .queued
        if isQueued { connection = first } else { isQueued = connection?.enter(message) ?? false }
        while true {
            if let current = connection, isQueued {
                switch await current.wait(for: message, signal, limit) {
                case .ended(.sent): return
                case .ended(.unsent): break
                case .ended(.cut): throw cutError(current)
                case .withdrawn: throw writeTimedOut(timeout)
                case .begun: throw writeTimedOut(timeout, inside: current)
                case .cancelled(hasBegun: false):
                    throw .cancelled("nothing of the message was sent, and the connection is as it was", host: host)
                case .cancelled(hasBegun: true):
                    throw .cancelled(
                        "a part of the message has been sent to \(host), and the rest follows", host: host,
                        mayBeRepeated: false)
                }
            }
            (connection, isQueued) = try await enterNext(after: connection, call, signal, limit) { $0.queue(message) }
            if isQueued { connection?.trySendQueued() }
        }
    }

    /// As ``enterNext(after:_:_:)``, without blocking.
    private func enterNext<Entry: Sendable>(
        after last: Connection?, _ call: Call, _ signal: TaskSignal, _ limit: TimeLimit,
        _ enter: @escaping @Sendable (Connection) -> Entry
    ) async throws(WebSocketError) -> (Connection, Entry) {
        let entry = Locked<Entry?>(nil)
        let waiter = Waiter(call, .suspended(signal)) { connection in
            let entered = enter(connection)
            entry.withLock { $0 = entered }
        }
        if let loss = state.withLock({ $0.add(waiter, after: last, mayReconnect: mayReconnect) }) {
            reconnectSuspended(after: loss)
        }
        while state.withLock({ _ in waiter.outcome == nil }) {
            if Task.isCancelled {
                let host = origin.url.host
                let error = WebSocketError.cancelled("it waited for a connection to \(host)", host: host)
                state.withLock { $0.withdraw(waiter, or: error) }
            } else if limit.hasPassed {
                state.withLock { $0.withdraw(waiter, or: timedOut(call)) }
            } else {
                await limit.wait(for: signal)
            }
        }
        guard let outcome = state.withLock({ _ in waiter.outcome }) else { throw timedOut(call) }
        let connection = try outcome.get()
        guard let entered = entry.withLock({ $0 }) else { throw timedOut(call) }
        return (connection, entered)
    }

    /// Closes the connection and ends all making of others, without blocking.
    func close(_ frame: CloseFrame, timeout: Duration?) async throws(WebSocketError) {
        try WebSocketError.refuseInForkedProcess(host: origin.url.host)
        // At once, whatever the wait for its end needs.
        let connection = endConnecting(frame)
        defer { tellIfOver() }
        try await connection.close(frame, limit(Deadline(after: timeout)))
    }

    /// - Throws: `cancelled` before anything is done.
    func checkMayBegin() throws(WebSocketError) {
        let host = origin.url.host
        try WebSocketError.refuseInForkedProcess(host: host)
        if Task.isCancelled { throw .cancelled("nothing was done", host: host) }
    }
}
