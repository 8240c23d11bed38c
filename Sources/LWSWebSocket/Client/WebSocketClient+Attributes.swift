// Notes that the application keeps on a connection.

internal import LWSServiceLoop

extension WebSocketClient {
    /// Keeps a value under a name, in place of the one before. Never blocks for long; any thread.
    public func setAttribute(_ name: String, _ value: AttributeValue) {
        link.state.withLock { $0.attributes[name] = value }
    }

    /// The value kept under a name.
    public func getAttribute(_ name: String) -> AttributeValue? {
        link.state.withLock { $0.attributes[name] }
    }

    /// Forgets a name. Returns what was kept under it.
    @discardableResult
    public func removeAttribute(_ name: String) -> AttributeValue? {
        link.state.withLock { $0.attributes.removeValue(forKey: name) }
    }
}
