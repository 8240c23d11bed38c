// Reads and writes that outlive a connection.

internal import LWSServiceLoop

extension Link {
    /// The next message that `wish` asks for, in the order in which readers came. Blocks.
    func read(_ wish: InboundQueue.Wish, timeout: Duration?) throws(WebSocketError) -> WebSocketMessage {
        var (call, connection) = try begin(reading: true, timeout: timeout)
        var result = connection?.enter(wish) ?? .served(.ended)
        while true {
            let served: InboundQueue.Served
            switch result {
            case .served(let now): served = now
            case .wait(let reader):
                guard let later = connection?.wait(for: reader, until: call.deadline) else {
                    throw WebSocketError(
                        .readTimedOut,
                        "No message came from \(host) within \(timeout ?? .zero); the connection is still open",
                        host: host)
                }
                served = later
            }
            switch served {
            case .message(let message): return message
            case .otherKind(let kind):
                let wanted = if case .only(let kind) = wish { kind.rawValue } else { "any" }
                throw WebSocketError(
                    .unexpectedMessageKind,
                    "The next message from \(host) is \(kind.rawValue), not \(wanted); it stays first in line",
                    host: host)
            case .ended:
                (connection, result) = try enterNext(after: connection, call) { $0.enter(wish) }
            }
        }
    }

    /// Sends a message or control frame and returns when every byte is with the operating system. Blocks.
    func write(_ message: OutgoingMessage, timeout: Duration?) throws(WebSocketError) {
        var (call, connection) = try begin(reading: false, timeout: timeout)
        var isQueued = connection?.enter(message) ?? false
        while true {
            if let current = connection, isQueued {
                switch current.wait(for: message, until: call.deadline) {
                case .ended(.sent): return
                case .ended(.unsent): break
                case .ended(.cut): throw cutError(current)
                case .withdrawn:
                    throw WebSocketError(
                        .writeTimedOut,
                        "\(host) took nothing within \(timeout ?? .zero); nothing of the message was sent and the "
                            + "connection is still open", host: host)
                case .begun:
                    throw WebSocketError(
                        .writeTimedOut,
                        "\(host) did not take the whole message within \(timeout ?? .zero); a part of it may have "
                            + "been sent, so the connection was ended", host: host,
                        closure: current.ending?.closure)
                }
            }
            (connection, isQueued) = try enterNext(after: connection, call) { $0.enter(message) }
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

    private var host: String { connection.url.host }

    /// The connection ended in the midst of a message, which is not sent again: nobody would know whether it has
    /// arrived twice.
    private func cutError(_ connection: Connection) -> WebSocketError {
        let error = connection.notOpenError(.ended)
        return WebSocketError(
            error.code, "\(error); a part of the message, or all of it, may have arrived, so it is not sent again",
            host: error.host, closure: error.closure, mayBeRepeated: false)
    }
}
