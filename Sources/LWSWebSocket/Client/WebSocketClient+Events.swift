// Watching a client, and notes that the application keeps on it.

internal import LWSServiceLoop

extension WebSocketClient {
    /// What happens to the client from now on: connecting, open, lost, reconnecting, pings and pongs, closing, closed.
    ///
    /// ```swift
    /// let client = try WebSocketClient(unconnected: "ws://localhost:9001/echo")
    /// let events = client.events  // from the first attempt on
    /// let watcher = Task { for await event in events { print(event) } }
    ///
    /// try await client.connect()
    /// try await client.close()
    /// await watcher.value  // the last event is closed
    /// ```
    ///
    /// Each use is a stream of its own, for one loop. It ends after ``WebSocketEvent/Kind/closed``, which is also all that
    /// comes of a client that is closed already. It holds at most 64 events; of more the oldest are dropped
    /// (``WebSocketEvent/missed``), for the client waits for no watcher. It does not keep the client from being freed, which
    /// closes it. What nobody watches costs nothing.
    ///
    /// Blocking users have ``ClientConfiguration/eventHandler``. Never blocks; any thread.
    public var events: AsyncStream<WebSocketEvent> { reconnector.watch() }

    // MARK: - Notes

    /// Keeps a value under a name, in place of the one before. Never blocks for long; any thread.
    public func setAttribute(_ name: String, _ value: AttributeValue) {
        reconnector.state.withLock { $0.attributes[name] = value }
    }

    /// The value kept under a name.
    public func getAttribute(_ name: String) -> AttributeValue? {
        reconnector.state.withLock { $0.attributes[name] }
    }

    /// Forgets a name. Returns what was kept under it.
    @discardableResult
    public func removeAttribute(_ name: String) -> AttributeValue? {
        reconnector.state.withLock { $0.attributes.removeValue(forKey: name) }
    }
}

extension Reconnector {
    /// The events from now on; of a client that is over, the last one.
    fileprivate func watch() -> AsyncStream<WebSocketEvent> {
        let stream = events.stream()
        let (phase, connection) = state.withLock { ($0.phase, $0.connection) }
        let ending = connection.ending
        switch phase {
        case .over(let error):
            events.tell(WebSocketEvent(.closed, error: error, closure: error?.closure ?? ending?.closure))
        case .open:
            // Without a watcher nobody was told. An ending that has not come to its end yet, or a loss, is not the last event.
            guard connection.phase == .ended, let ending else { break }
            guard !mayReconnect || ending.initiator != .network else { break }
            events.tell(WebSocketEvent(.closed, closure: ending.closure))
        case .fresh, .connecting, .reconnecting: break
        }
        tellIfOver()
        return stream
    }
}
