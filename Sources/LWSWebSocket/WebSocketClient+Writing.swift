// Writing messages.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension WebSocketClient {
    /// Sends a text message and returns when the operating system has all of it.
    ///
    /// Blocks for at most ``ClientConfiguration/writeTimeout``. A text longer than
    /// ``ClientConfiguration/maxFrameSize`` goes out as several frames; a code point may straddle two of them
    /// (RFC 6455, section 5.4).
    ///
    /// A message that was with the operating system when the connection was lost may not have arrived, and is not sent
    /// again; see ``WebSocketRetryConfig`` for one that had not left.
    /// - Throws: `writeTimedOut`; `connectionClosure` where the connection is or gets closed.
    public func writeTextMessage(_ text: String) throws(WebSocketError) {
        var text = text
        let message = text.withUTF8 { OutgoingMessage(.text, UnsafeRawBufferPointer($0)) }
        try link.write(message, timeout: configuration.writeTimeout)
    }

    /// Sends a binary message. As ``writeTextMessage(_:)`` otherwise.
    public func writeBinaryMessage(_ bytes: [UInt8]) throws(WebSocketError) {
        try write(.binary, bytes)
    }

    /// Sends the bytes of anything that has them in one piece (`Data`, a slice, a buffer) as a binary message. As
    /// ``writeTextMessage(_:)`` otherwise.
    public func writeBinaryMessage(_ bytes: some ContiguousBytes) throws(WebSocketError) {
        try write(.binary, bytes)
    }

    func write(_ kind: OutgoingMessage.Kind, _ bytes: some ContiguousBytes) throws(WebSocketError) {
        try link.write(
            bytes.withUnsafeBytes { OutgoingMessage(kind, $0) }, timeout: configuration.writeTimeout)
    }
}
