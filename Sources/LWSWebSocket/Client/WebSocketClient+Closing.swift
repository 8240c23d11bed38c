// Closing.

extension WebSocketClient {
    /// Closes the connection: sends a close frame, waits for the peer's, and ends the connection (RFC 6455, section
    /// 7.1.2).
    ///
    /// Blocked reads and writes of other threads end with `connectionClosure` as soon as the close frame is with the operating
    /// system, or cannot be because the peer takes nothing; so does a connect under way, at once, with the waits and
    /// attempts of ``ClientConfiguration/retryConfig``. Messages that had arrived can still
    /// be read. Returns without an error when the time is up; then the connection has been ended without the peer's
    /// close frame, which ``closure`` tells. A second close waits with the first, and ends the connection when its
    /// own time is up; where the connection has ended it returns at once.
    /// - Parameters:
    ///   - statusCode: 1000-1003, 1007-1011 or 3000-4999.
    ///   - reason: at most 123 bytes of UTF-8.
    ///   - timeout: how long to wait for the peer. `nil` and -1 s: without limit.
    /// - Throws: `invalidArgument` for another code, a longer reason or another negative timeout. Nothing was sent then.
    public func close(
        statusCode: Int = 1000, reason: String? = nil, timeout: Duration? = .seconds(60)
    ) throws(WebSocketError) {
        try link.close(
            try checkedClose(statusCode: statusCode, reason: reason, timeout: timeout), timeout: timeout)
    }

    /// How the connection ended: by whom, with which code and reason, and whether cleanly, so that a
    /// ``close(statusCode:reason:timeout:)-1lu30`` to which the peer gave no answer can be told. `nil` before the end, and while a lost connection is being made again.
    public var closure: WebSocketError.Closure? { link.closure }

    /// What is to be sent, where the arguments of a close are valid.
    func checkedClose(
        statusCode: Int, reason: String?, timeout: Duration?
    ) throws(WebSocketError) -> CloseFrame {
        try WebSocketError.refuseInForkedProcess(host: link.origin.url.host)
        let host = connection.url.host
        let frame = try CloseFrame.checked(statusCode: statusCode, reason: reason, host: host)
        if let timeout, timeout < .zero, timeout != .seconds(-1) {
            throw WebSocketError(
                .invalidArgument, "The close timeout \(timeout) is negative; use nil or -1 s to wait without limit",
                host: host)
        }
        return frame
    }
}
