// Reads and writes that outlive a connection, and the close that ends them all.

internal import LWSServiceLoop

extension Reconnector {
    /// The next message that `wish` asks for, in the order in which readers came. Blocks.
    func read(_ wish: InboundQueue.Wish, timeout: Duration?) throws(WebSocketError) -> WebSocketMessage {
        if let message = takeNow(wish) { return message }
        try ConnectionLog.refuseInsideHandler(host: origin.url.host)
        var (call, connection) = try begin(reading: true, timeout: timeout)
        var result = connection?.enter(wish) ?? .served(.ended)
        while true {
            let served: InboundQueue.Served
            switch result {
            case .served(let now): served = now
            case .wait(let reader):
                guard let later = connection?.wait(for: reader, until: call.deadline) else {
                    throw readTimedOut(timeout)
                }
                served = later
            }
            switch served {
            case .message(let message): return message
            case .otherKind(let kind): throw unexpectedKind(kind, wish)
            case .ended:
                (connection, result) = try enterNext(after: connection, call) { $0.enter(wish) }
            }
        }
    }

    /// The usual case where messages come faster than they are read. `nil`: anything else.
    func takeNow(_ wish: InboundQueue.Wish) -> WebSocketMessage? {
        // In a forked child a lock may be held for ever.
        guard !ForkedProcess.isCurrent else { return nil }
        // Who waits for another connection comes first.
        return state.withLock { $0.waiters.isEmpty ? $0.connection : nil }?.takeNow(wish)
    }

    /// Whether the connection of now compresses what it sends.
    var compresses: Bool {
        // In a forked child a lock may be held for ever.
        !ForkedProcess.isCurrent && connection.query { $0.compresses }
    }

    /// Sends a message or control frame and returns when every byte is with the operating system. Blocks.
    func write(_ message: OutgoingMessage, timeout: Duration?) throws(WebSocketError) {
        try WebSocketError.refuseInForkedProcess(host: origin.url.host)
        try ConnectionLog.refuseInsideHandler(host: origin.url.host)
        let first = self.connection
        if configuration.loggedPayloadBytes > 0 { first.log.sent(message) }
        let entry = first.sendNow(message)
        if entry == .sent { return }
        var (call, connection) = try begin(reading: false, timeout: timeout)
        var isQueued = entry == .queued
        if isQueued { connection = first } else { isQueued = connection?.enter(message) ?? false }
        while true {
            if let current = connection, isQueued {
                switch current.wait(for: message, until: call.deadline) {
                case .ended(.sent): return
                case .ended(.unsent): break
                case .ended(.cut): throw cutError(current)
                case .withdrawn: throw writeTimedOut(timeout)
                case .begun: throw writeTimedOut(timeout, inside: current)
                }
            }
            (connection, isQueued) = try enterNext(after: connection, call) { $0.queue(message) }
            if isQueued { connection?.sendQueued() }
        }
    }

    /// Measures a ping on the connection of now.
    func roundTrip(timeout: Duration?) throws(WebSocketError) -> Duration {
        try checkMayBlock()
        let connection = state.withLock { state in
            if case .reconnecting = state.phase { Connection?.none } else { state.connection }
        }
        guard let connection else { throw Ending(initiator: .network).error(host: origin.url.host) }
        return try connection.roundTrip(timeout: timeout)
    }

    var host: String { connection.url.host }

    func readTimedOut(_ timeout: Duration?) -> WebSocketError {
        WebSocketError(
            .readTimedOut, "No message came from \(host) within \(timeout ?? .zero); the connection is still open",
            host: host)
    }

    func unexpectedKind(_ kind: MessageKind, _ wish: InboundQueue.Wish) -> WebSocketError {
        let wanted = if case .only(let kind) = wish { kind.rawValue } else { "any" }
        return WebSocketError(
            .unexpectedMessageKind,
            "The next message from \(host) is \(kind.rawValue), not \(wanted); it stays first in line", host: host)
    }

    /// - Parameter connection: the one that was ended, because some of the message had left.
    func writeTimedOut(_ timeout: Duration?, inside connection: Connection? = nil) -> WebSocketError {
        guard let connection else {
            return WebSocketError(
                .writeTimedOut,
                "\(host) took nothing within \(timeout ?? .zero); nothing of the message was sent and the "
                    + "connection is still open", host: host)
        }
        return WebSocketError(
            .writeTimedOut,
            "\(host) did not take the whole message within \(timeout ?? .zero); a part of it may have "
                + "been sent, so the connection was ended", host: host, closure: connection.ending?.closure)
    }

    /// The connection ended in the midst of a message, which is not sent again: nobody would know whether it has
    /// arrived twice.
    func cutError(_ connection: Connection) -> WebSocketError {
        let error = connection.notOpenError(.ended)
        return WebSocketError(
            error.code, "\(error); a part of the message, or all of it, may have arrived, so it is not sent again",
            host: error.host, closure: error.closure, mayBeRepeated: false)
    }

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
        try ConnectionLog.refuseInsideHandler(host: origin.url.host)
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
