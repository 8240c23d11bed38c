// Sending and receiving without blocking a thread.

internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension WebSocketClient {
    /// Sends a text message and returns when the operating system has all of it: the twin of ``writeTextMessage(_:)`` for tasks
    /// (contract: "writeTextMessage"). It may be mixed with blocking calls of other threads, in one line with them.
    ///
    /// Suspends for at most ``ClientConfiguration/writeTimeout``, while messages before it have not left or the peer does not
    /// read; where the system takes the message at once, as it mostly does, it does not suspend at all.
    ///
    /// In a task that is cancelled it throws at once. A message of which nothing has left is taken back, and the connection
    /// goes on without it. One that has begun to leave cannot be taken back, and a connection is more than one message: the
    /// rest of it follows, without anybody's waiting for it. Messages after it wait for it as ever.
    /// - Throws: `cancelled`, whose text tells one from the other, and which is not ``WebSocketError/isRetriable``; `writeTimedOut`,
    ///   `connectionClosure` as ``writeTextMessage(_:)``.
    public func send(_ text: String) async throws(WebSocketError) {
        try await link.send(
            .text(text, frameSize: frameSize(for: text.utf8.count)), timeout: configuration.writeTimeout)
    }

    /// Sends a binary message. As ``send(_:)-(String)`` otherwise (contract: "writeBinaryMessage").
    public func send(_ bytes: [UInt8]) async throws(WebSocketError) { try await sendBinary(bytes) }

    /// Sends the bytes of anything that has them in one piece (`Data`, a slice, a buffer) as a binary message. As
    /// ``send(_:)-(String)`` otherwise.
    public func send(_ bytes: some ContiguousBytes) async throws(WebSocketError) { try await sendBinary(bytes) }

    /// Sends a message as the kind that it is. As ``send(_:)-(String)`` otherwise (contract: "writeMessage").
    public func send(_ message: WebSocketMessage) async throws(WebSocketError) {
        switch message {
        case .text(let text): try await send(text)
        case .binary(let bytes): try await sendBinary(bytes)
        }
    }

    private func sendBinary(_ bytes: some ContiguousBytes) async throws(WebSocketError) {
        try await link.send(outgoing(.binary, bytes), timeout: configuration.writeTimeout)
    }

    /// The next message: the twin of ``readMessage()`` for tasks (contract: "readMessage"). Blocked and suspended readers are
    /// served in the order in which they came, each message to one of them.
    ///
    /// Suspends for at most ``ClientConfiguration/readTimeout``, the making of another connection included
    /// (``ClientConfiguration/retryConfig``). Messages that nobody receives wait as for a blocking reader, up to about
    /// 1 MiB, and then the client reads no more from its socket.
    ///
    /// In a task that is cancelled it throws at once, and no message is lost: one that was meant for it already goes to the
    /// next reader.
    /// - Throws: `cancelled`, and the connection is as it was; else as ``readMessage()``.
    public func receive() async throws(WebSocketError) -> WebSocketMessage {
        try await link.receive(.any, timeout: configuration.readTimeout)
    }

    /// The next message as a value: the twin of ``readMessage(as:)``, by the same rules. Suspends and throws as ``receive()``, and
    /// throws `payloadBinding` and `payloadValidation`.
    public func receive<Value: Decodable>(as type: Value.Type) async throws(WebSocketError) -> Value {
        try binding.bind(try await receive(), as: type)
    }

    /// All messages from now on, one after the other:
    ///
    /// ```swift
    /// for try await message in client.messages { print(message) }
    /// ```
    ///
    /// Each comes from ``receive()``, so that several loops share the messages among them, and nothing is read ahead of
    /// them. A loop ends when the connection was closed in the ordinary way, by this side or by the peer with 1000, 1001 or
    /// no code, and everything before that has been read; any other end it throws, and so does it a `readTimedOut`, after
    /// which another loop may go on. The sequence keeps the client open.
    public var messages: WebSocketMessages { WebSocketMessages(client: self) }
}

/// The messages of a client: ``WebSocketClient/messages``.
public struct WebSocketMessages: AsyncSequence, Sendable {
    /// A whole message.
    public typealias Element = WebSocketMessage
    /// What a loop throws at an end that is not the ordinary one.
    public typealias Failure = WebSocketError

    fileprivate let client: WebSocketClient

    /// What a loop takes its messages from. Several share them.
    public func makeAsyncIterator() -> Iterator { Iterator(client: client) }

    /// Receives one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
        /// A whole message.
        public typealias Element = WebSocketMessage
        /// What ``next()`` throws.
        public typealias Failure = WebSocketError

        fileprivate let client: WebSocketClient

        /// The next message; `nil` at the ordinary end of the connection.
        /// - Throws: as ``WebSocketClient/receive()``.
        public mutating func next() async throws(WebSocketError) -> WebSocketMessage? { try await client.next() }

        /// The same for callers on an actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(WebSocketError) -> WebSocketMessage? { try await client.next() }
    }
}

extension WebSocketClient {
    fileprivate func next() async throws(WebSocketError) -> WebSocketMessage? {
        do throws(WebSocketError) {
            return try await receive()
        } catch {
            guard error.isOrdinaryEnd else { throw error }
            return nil
        }
    }
}

extension WebSocketError {
    /// One side has closed, and nothing was wrong.
    fileprivate var isOrdinaryEnd: Bool {
        guard code == .connectionClosure, let closure else { return false }
        return switch closure.initiator {
        // 1006: ended in the midst of a message, which took too long.
        case .local: closure.code != 1006
        case .peer: [1000, 1001, 1005].contains(closure.code)
        case .network: false
        }
    }
}
