// Closing, pings and pongs.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

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
        try reconnector.close(
            try checkedClose(statusCode: statusCode, reason: reason, timeout: timeout), timeout: timeout)
    }

    /// How the connection ended: by whom, with which code and reason, and whether cleanly, so that a
    /// ``close(statusCode:reason:timeout:)-1lu30`` to which the peer gave no answer can be told. `nil` before the end, and while a lost connection is being made again.
    public var closure: WebSocketError.Closure? { reconnector.closure }

    /// What is to be sent, where the arguments of a close are valid.
    func checkedClose(
        statusCode: Int, reason: String?, timeout: Duration?
    ) throws(WebSocketError) -> CloseFrame {
        try WebSocketError.refuseInForkedProcess(host: reconnector.origin.url.host)
        let host = connection.url.host
        let frame = try CloseFrame.checked(statusCode: statusCode, reason: reason, host: host)
        if let timeout, timeout < .zero, timeout != .seconds(-1) {
            throw WebSocketError(
                .invalidArgument, "The close timeout \(timeout) is negative; use nil or -1 s to wait without limit",
                host: host)
        }
        return frame
    }

    // MARK: - Pings and pongs

    /// Sends a ping and returns when the operating system has it; the pong is not waited for (RFC 6455, section
    /// 5.5.2). Pings of the peer are answered without the application's doing.
    ///
    /// Goes ahead of messages that wait to be sent. Blocks for at most ``ClientConfiguration/writeTimeout``.
    /// - Throws: `invalidArgument` for a payload of more than 125 bytes, before anything is sent; else as
    ///   ``writeTextMessage(_:)``.
    public func ping(_ payload: some ContiguousBytes) throws(WebSocketError) {
        try writeControl(.ping, payload)
    }

    /// Sends a ping without a payload.
    public func ping() throws(WebSocketError) { try writeControl(.ping, [UInt8]()) }

    /// Sends an unsolicited pong (RFC 6455, section 5.5.3). As ``ping(_:)`` otherwise.
    public func pong(_ payload: some ContiguousBytes) throws(WebSocketError) {
        try writeControl(.pong, payload)
    }

    /// Sends a pong without a payload.
    public func pong() throws(WebSocketError) { try writeControl(.pong, [UInt8]()) }

    /// Sends a ping and returns how long its pong takes: from the ping's being handed to the system to the pong's
    /// arrival on the thread that reads, so that it does not matter how soon this thread wakes.
    ///
    /// Blocks until the pong comes, at most for `timeout`; `nil` and negative: no limit. Several threads may measure
    /// at once. Where the peer answers the latest of several pings alone (RFC 6455, section 5.5.3), that pong is the
    /// answer to the earlier ones too. The pong is not shown to ``ClientConfiguration/pingPongHandler``. While
    /// messages that nobody reads keep the client from reading its socket, the pong is not seen.
    /// - Throws: `readTimedOut`, after which the connection is still open; `connectionClosure` where the connection is
    ///   or gets closed, or was lost; a measurement does not wait for another one to be made.
    public func roundTripTime(timeout: Duration? = .seconds(10)) throws(WebSocketError) -> Duration {
        try reconnector.roundTrip(timeout: timeout)
    }

    private func writeControl(
        _ kind: OutgoingMessage.Kind, _ payload: some ContiguousBytes
    ) throws(WebSocketError) {
        let count = payload.withUnsafeBytes { $0.count }
        guard count <= 125 else {
            throw WebSocketError(
                .invalidArgument,
                "The payload of a \(kind) has \(count) bytes; a control frame holds at most 125 (RFC 6455, section 5.5)",
                host: connection.url.host)
        }
        try write(kind, payload)
    }
}
