// Pings of this library's own: keep-alive, and the time a round trip takes.

internal import LWSServiceLoop

extension Connection {
    /// Sends a ping and returns the time from its leaving to its pong's arrival.
    func roundTrip(timeout: Duration?) throws(WebSocketError) -> Duration {
        try checkMayBlock()
        let deadline = Deadline(after: timeout)
        let trip = RoundTrip()
        let (isQueued, phase) = update { state in
            let isQueued = state.begin(trip)
            return ((isQueued, state.phase), .init(sendNow: isQueued))
        }
        guard isQueued else { throw notOpenError(phase) }
        _ = wait(for: trip.semaphore, until: deadline)
        // Too late, perhaps, but the pong may have come in the last moment.
        switch query({ $0.withdraw(trip) }) {
        case .answered(let duration): return duration
        case .ended: throw notOpenError(self.phase)
        case nil:
            throw WebSocketError(
                .readTimedOut,
                "No pong came from \(url.host) within \(timeout ?? .zero); the connection is still open",
                host: url.host)
        }
    }

    // MARK: - The side of the loop

    /// Queues a keep-alive ping. Returns false where one still waits to leave, and where the connection takes none.
    func queueKeepAlivePing() -> Bool { query { $0.queueKeepAlivePing() } }

    /// The peer has not answered a ping for so long: ends the connection.
    func pingWasNotAnswered(within limit: Duration) {
        update { state in
            ((), state.giveUp(Ending(initiator: .network, cause: .unansweredPing(limit: limit))))
        }
    }
}

extension ConnectionState {
    /// Queues a ping for whose pong somebody waits. Returns false where the connection takes none.
    mutating func begin(_ trip: RoundTrip) -> Bool {
        guard write(trip.ping) else { return false }
        ownPings.add(trip)
        return true
    }

    /// Nobody waits for the pong any more. Returns what came of it, if anything did.
    mutating func withdraw(_ trip: RoundTrip) -> RoundTrip.Outcome? {
        if let outcome = trip.outcome { return outcome }
        if takeBack(trip.ping) { ownPings.remove(trip) } else { ownPings.stopWaiting(trip) }
        return nil
    }

    mutating func queueKeepAlivePing() -> Bool {
        guard !ownPings.isKeepAliveWaiting else { return false }
        let (ping, payload) = OwnPings.make()
        guard write(ping) else { return false }
        ownPings.add(ping, payload)
        return true
    }
}
