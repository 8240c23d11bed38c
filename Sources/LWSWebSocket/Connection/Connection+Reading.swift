// Blocking reads.

internal import LWSServiceLoop

extension Connection {
    /// The next message that `wish` asks for, in the order in which readers came.
    func read(_ wish: InboundQueue.Wish, timeout: Duration?) throws(WebSocketError) -> WebSocketMessage {
        try checkMayBlock()
        let deadline = Deadline(after: timeout)
        let (result, phase) = update { state in
            let (result, resume) = state.read(wish)
            return ((result, state.phase), .init(resumeReading: resume))
        }
        switch result {
        case .served(let served):
            return try message(from: served, wish, phase)
        case .wait(let reader):
            if reader.semaphore.wait(until: deadline) {
                let served = query { _ in reader.served }
                return try message(from: served ?? .ended, wish, .ended)
            }
            // Too late, but the message may have been handed over in the last moment: then it is this caller's.
            guard let served = query({ $0.inbound.withdraw(reader) }) else {
                throw WebSocketError(
                    .readTimedOut,
                    "No message came from \(url.host) within \(timeout ?? .zero); the connection is still open",
                    host: url.host)
            }
            return try message(from: served, wish, .ended)
        }
    }

    private func message(
        from served: InboundQueue.Served, _ wish: InboundQueue.Wish, _ phase: ConnectionState.Phase
    ) throws(WebSocketError) -> WebSocketMessage {
        switch served {
        case .message(let message):
            return message
        case .otherKind(let kind):
            let wanted = if case .only(let kind) = wish { kind.rawValue } else { "any" }
            throw WebSocketError(
                .unexpectedMessageKind,
                "The next message from \(url.host) is \(kind.rawValue), not \(wanted); it stays first in line",
                host: url.host)
        case .ended:
            throw notOpenError(phase, reading: true)
        }
    }
}
