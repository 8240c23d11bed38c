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

    enum Entry {
        /// Every byte is with the operating system.
        case sent
        /// It has yet to be waited for.
        case queued
        /// The connection takes none, or the current thread must not block.
        case refused
    }

    /// Sends a message, if the operating system takes it at once: the usual case, in which it is never queued.
    func sendNow(_ message: OutgoingMessage) -> Entry {
        switch idleTransport?.sendDirectly(message) ?? .refused {
        case .sent: return .sent
        case .begun: return .queued
        case .refused: break
        }
        guard let transport = enterOffLoop(message) else { return .refused }
        transport.flush()
        return query { _ in message.outcome } == .sent ? .sent : .queued
    }

    /// Queues a message or control frame. Returns false where the connection takes none. Does not block.
    func enter(_ message: OutgoingMessage) -> Bool {
        update { state in
            let isQueued = state.write(message)
            return (isQueued, .init(sendNow: isQueued))
        }
    }

    /// Waits until every byte of a queued message is with the operating system.
    func wait(for message: OutgoingMessage, until deadline: Deadline) -> WriteResult {
        var semaphore: MonotonicSemaphore?
        // Mostly it has left already. Without an outcome after the wait it was the late signal of a connection before this
        // one.
        repeat {
            let outcome = query { _ in
                if message.outcome == nil { semaphore = message.waiter() }
                return message.outcome
            }
            if let outcome { return .ended(outcome) }
        } while semaphore.map { wait(for: $0, until: deadline) } ?? true
        return takeBack(message)
    }

    /// The time for a message is up.
    func takeBack(_ message: OutgoingMessage) -> WriteResult {
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
