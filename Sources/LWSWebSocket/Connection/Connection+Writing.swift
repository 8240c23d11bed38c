// Blocking writes.

internal import LWSServiceLoop

extension Connection {
    /// Sends a message or control frame and returns when every byte is with the operating system.
    func write(_ message: OutgoingMessage, timeout: Duration?) throws(WebSocketError) {
        try checkMayBlock()
        let deadline = Deadline(after: timeout)
        let (isQueued, phase) = update { state in
            let isQueued = state.write(message)
            return ((isQueued, state.phase), .init(requestWrite: isQueued))
        }
        guard isQueued else { throw notOpenError(phase) }
        if message.semaphore.wait(until: deadline) {
            guard query({ _ in message.outcome }) == .sent else { throw notOpenError(.ended) }
            return
        }
        let result = update { state in
            let result = state.withdraw(message)
            guard case .begun(let effects) = result else { return (result, nil) }
            return (result, effects)
        }
        switch result {
        case .late(.sent): return
        case .late(.ended): throw notOpenError(.ended)
        case .withdrawn:
            throw WebSocketError(
                .writeTimedOut,
                "\(url.host) took nothing within \(timeout ?? .zero); nothing of the message was sent and the "
                    + "connection is still open", host: url.host)
        case .begun:
            throw WebSocketError(
                .writeTimedOut,
                "\(url.host) did not take the whole message within \(timeout ?? .zero); a part of it may have "
                    + "been sent, so the connection was ended", host: url.host, closure: ending?.closure)
        }
    }
}
