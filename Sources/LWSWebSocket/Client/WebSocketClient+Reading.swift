// Reading messages.

extension WebSocketClient {
    /// The next message if it is a text. Blocks for at most ``ClientConfiguration/readTimeout``, the making of another
    /// connection included (``ClientConfiguration/retryConfig``).
    /// - Throws: `unexpectedMessageKind` where it is binary (it stays first in line); `readTimedOut`, after which
    ///   the connection is still open; `payloadTooLarge`, `corruptedFrame` or `invalidContinuationFrame` where the
    ///   peer broke a rule; `connectionClosure` when nothing is left to read.
    public func readTextMessage() throws(WebSocketError) -> String {
        guard case .text(let text) = try read(.only(.text)) else { return "" }
        return text
    }

    /// The next message if it is binary. As ``readTextMessage()`` otherwise.
    public func readBinaryMessage() throws(WebSocketError) -> [UInt8] {
        guard case .binary(let bytes) = try read(.only(.binary)) else { return [] }
        return bytes
    }

    /// The next message of either kind. As ``readTextMessage()`` otherwise.
    public func readMessage() throws(WebSocketError) -> WebSocketMessage {
        try read(.any)
    }

    private func read(_ wish: InboundQueue.Wish) throws(WebSocketError) -> WebSocketMessage {
        try link.read(wish, timeout: configuration.readTimeout)
    }
}
