// Pings and pongs.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension WebSocketClient {
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
        try link.roundTrip(timeout: timeout)
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
