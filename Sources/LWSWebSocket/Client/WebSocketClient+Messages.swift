// Writing and reading messages.

internal import LWSServiceLoop

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
        try reconnector.write(
            .text(text, frameSize: frameSize(for: text.utf8.count)), timeout: configuration.writeTimeout)
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

    /// Sends several messages, one after the other, and returns when the operating system has all of them.
    ///
    /// Small ones leave many at a time, which costs a part of what as many calls of ``writeTextMessage(_:)`` and
    /// ``writeBinaryMessage(_:)-([UInt8])`` would. No message of another writer comes between them, unless compression was
    /// agreed to.
    /// Blocks for at most ``ClientConfiguration/writeTimeout``, all messages together.
    /// - Throws: as ``writeTextMessage(_:)``. Some of the messages may have arrived then: the error says so, and is not
    ///   retriable (``WebSocketError/isRetriable``).
    public func writeMessages(_ messages: [WebSocketMessage]) throws(WebSocketError) {
        guard !messages.isEmpty else { return }
        let timeout = configuration.writeTimeout
        guard reconnector.compresses else {
            try reconnector.write(OutgoingMessage(messages, frameSize: reconnector.frameSize), timeout: timeout)
            return
        }
        let deadline = Deadline(after: timeout)
        for (index, message) in messages.enumerated() {
            let outgoing: OutgoingMessage =
                switch message {
                case .text(let text): .text(text)
                case .binary(let bytes): .bytes(bytes, .binary)
                }
            do throws(WebSocketError) {
                try reconnector.write(outgoing, timeout: deadline.remaining)
            } catch {
                throw index == 0 ? error : error.afterSending(index, of: messages.count)
            }
        }
    }

    func write(_ kind: OutgoingMessage.Kind, _ bytes: some ContiguousBytes) throws(WebSocketError) {
        try reconnector.write(outgoing(kind, bytes), timeout: configuration.writeTimeout)
    }

    func outgoing(_ kind: OutgoingMessage.Kind, _ bytes: some ContiguousBytes) -> OutgoingMessage {
        bytes.withUnsafeBytes { OutgoingMessage(kind, $0, frameSize: frameSize(for: $0.count)) }
    }

    /// How long the frames are that a message is laid out in; what is compressed is cut only then.
    func frameSize(for count: Int) -> Int {
        count > reconnector.frameSize && reconnector.compresses ? .max : reconnector.frameSize
    }

    // MARK: - Reading

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
        try reconnector.read(wish, timeout: configuration.readTimeout)
    }
}

extension OutgoingMessage {
    /// A text message in frames of at most `frameSize` bytes.
    static func text(_ text: String, frameSize: Int = .max) -> OutgoingMessage {
        var text = text
        return text.withUTF8 { OutgoingMessage(.text, UnsafeRawBufferPointer($0), frameSize: frameSize) }
    }

    /// The same of bytes, which are a text's where the kind says so.
    static func bytes(_ bytes: some ContiguousBytes, _ kind: Kind, frameSize: Int = .max) -> OutgoingMessage {
        bytes.withUnsafeBytes { OutgoingMessage(kind, $0, frameSize: frameSize) }
    }
}
