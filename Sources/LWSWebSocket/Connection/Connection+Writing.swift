// Blocking writes.

internal import LWSServiceLoop

extension Connection {
    /// How the wait for a message's way out ended.
    enum WriteResult {
        case ended(OutgoingMessage.Outcome)
        /// The time is up, and nothing of it was handed to lws.
        case withdrawn
        /// The time is up, and some of it was, so the connection has been ended.
        case begun
    }

    /// Queues a message or control frame. Returns false where the connection takes none. Does not block.
    func enter(_ message: OutgoingMessage) -> Bool {
        update { state in
            let isQueued = state.write(message)
            return (isQueued, .init(requestWrite: isQueued))
        }
    }

    /// Waits until every byte of a queued message is with the operating system.
    func wait(for message: OutgoingMessage, until deadline: Deadline) -> WriteResult {
        while message.semaphore.wait(until: deadline) {
            // Without an outcome it was the late signal of a connection before this one.
            if let outcome = query({ _ in message.outcome }) { return .ended(outcome) }
        }
        let result = update { state in
            let result = state.withdraw(message)
            guard case .begun(let effects) = result else { return (result, nil) }
            return (result, effects)
        }
        return switch result {
        case .late(let outcome): .ended(outcome)
        case .withdrawn: .withdrawn
        case .begun: .begun
        }
    }
}
