// Blocking calls: reading, writing and closing.

internal import LWSServiceLoop

extension Connection {
    /// The next message that `wish` asks for, if it is there already. `nil` also where that is left to ``enter(_:)``.
    func takeNow(_ wish: InboundQueue.Wish) -> WebSocketMessage? {
        // A blocking call is refused on the loop's thread, whether it would have had to block or not.
        let (served, resume) = queryOffLoop { $0.takeNow(wish) } ?? (nil, false)
        if resume { transport?.resumeReading() }
        guard case .message(let message) = served else { return nil }
        return message
    }

    /// Takes the next message that `wish` asks for, or gets in line for it. Does not block.
    /// - Parameter task: how a reader is woken who is suspended; `nil` for one who is blocked.
    func enter(_ wish: InboundQueue.Wish, waking task: TaskSignal? = nil) -> InboundQueue.TakeResult {
        update { state in
            let (result, resume) = state.read(wish, waking: task)
            return (result, resume ? .init(resumeReading: true) : nil)
        }
    }

    /// Waits in line. `nil`: the time is up.
    func wait(for reader: InboundQueue.Reader, until deadline: Deadline) -> InboundQueue.Served? {
        guard let semaphore = reader.signal.semaphore else { return nil }
        while wait(for: semaphore, until: deadline) {
            if let served = query({ $0.inbound.collect(reader) }) { return served }
        }
        // Too late, but the message may have been handed over in the last moment: then it is this caller's.
        return query { $0.inbound.withdraw(reader) }
    }

    // MARK: - Blocking writes

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
        case .sent:
            if ClientMetrics.isOn { metrics.sent(.init(CollectionOfOne(message))) }
            return .sent
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

    /// Queues a message or control frame for ``sendQueued()``, and calls nobody. Returns false where the connection takes none.
    func queue(_ message: OutgoingMessage) -> Bool { query { $0.write(message) } }

    /// Sends what is queued, on this thread where that can be.
    func sendQueued() { transport?.flush() }

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

    // MARK: - Closing, with and without waiting

    /// Sends the close frame, unless one is on its way, and waits until the connection has ended, at most until `timeout`.
    func close(_ frame: CloseFrame, timeout: Duration?) throws(WebSocketError) {
        try checkMayBlock()
        let deadline = Deadline(after: timeout)
        let semaphore = MonotonicSemaphore()
        let mustWait = update { state in
            let effects = state.close(with: frame)
            return (state.waitForEnd(waking: .blocked(semaphore)), effects)
        }
        guard mustWait, !semaphore.wait(until: deadline) else { return }
        giveUp()
    }

    /// Closes because nobody refers to the client any more with 1001 (going away), without blocking. The peer has a few
    /// seconds to answer.
    func abandon() {
        update { state in
            ((), state.close(with: .goingAway, limit: .seconds(5)))
        }
    }

    /// Ends the connection without waiting any longer.
    func giveUp() {
        update { state in ((), state.giveUp(Ending(initiator: .local))) }
    }
}
