// Blocking reads.

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
}
