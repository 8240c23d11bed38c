// Blocking reads.

internal import LWSServiceLoop

extension Connection {
    /// Takes the next message that `wish` asks for, or gets in line for it. Does not block.
    func enter(_ wish: InboundQueue.Wish) -> InboundQueue.TakeResult {
        update { state in
            let (result, resume) = state.read(wish)
            return (result, .init(resumeReading: resume))
        }
    }

    /// Waits in line. `nil`: the time is up.
    func wait(for reader: InboundQueue.Reader, until deadline: Deadline) -> InboundQueue.Served? {
        if reader.semaphore.wait(until: deadline) { return query { _ in reader.served } ?? .ended }
        // Too late, but the message may have been handed over in the last moment: then it is this caller's.
        return query { $0.inbound.withdraw(reader) }
    }
}
