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
