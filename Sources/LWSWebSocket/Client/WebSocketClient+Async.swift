// All calls without blocking a thread.

internal import LWSServiceLoop

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension WebSocketClient {
    /// Sends a text message and returns when the operating system has all of it: the twin of ``writeTextMessage(_:)`` for tasks.
    /// It may be mixed with blocking calls of other threads, in one line with them.
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
        try await reconnector.send(
            .text(text, frameSize: frameSize(for: text.utf8.count)), timeout: configuration.writeTimeout)
    }

    /// Sends a binary message. As ``send(_:)-(String)`` otherwise.
    public func send(_ bytes: [UInt8]) async throws(WebSocketError) { try await sendBinary(bytes) }

    /// Sends the bytes of anything that has them in one piece (`Data`, a slice, a buffer) as a binary message. As
    /// ``send(_:)-(String)`` otherwise.
    public func send(_ bytes: some ContiguousBytes) async throws(WebSocketError) { try await sendBinary(bytes) }

    /// Sends a message as the kind that it is. As ``send(_:)-(String)`` otherwise.
    public func send(_ message: WebSocketMessage) async throws(WebSocketError) {
        switch message {
        case .text(let text): try await send(text)
        case .binary(let bytes): try await sendBinary(bytes)
        }
    }

    private func sendBinary(_ bytes: some ContiguousBytes) async throws(WebSocketError) {
        try await reconnector.send(outgoing(.binary, bytes), timeout: configuration.writeTimeout)
    }

    /// The next message: the twin of ``readMessage()`` for tasks. Blocked and suspended readers are
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
        try await reconnector.receive(.any, timeout: configuration.readTimeout)
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

// MARK: - Connecting and closing without blocking a thread

extension WebSocketClient {
    /// Connects to `url` and returns when the connection is open: the twin of ``init(_:configuration:loop:)`` for tasks.
    ///
    /// Suspends for at most ``ClientConfiguration/handShakeTimeout``, for each attempt of
    /// ``ClientConfiguration/retryConfig``. No thread of Swift's pool is blocked: names are looked up, files read, credentials
    /// asked for, and ``WebSocketRetryConfig/onRetry`` called, on a few threads that all clients share (16 for names, 16 for the
    /// rest).
    /// - Throws: as ``init(_:configuration:loop:)``; `cancelled`, at once, where the task is cancelled.
    public static func connect(
        _ url: String, configuration: ClientConfiguration = ClientConfiguration(), loop: WebSocketLoop = .shared
    ) async throws(WebSocketError) -> WebSocketClient {
        let client = try WebSocketClient(unconnected: url, configuration: configuration, loop: loop)
        try await client.connect()
        return client
    }

    /// Connects a client that was made with ``init(unconnected:configuration:loop:)``, once. Suspends and throws as
    /// ``connect(_:configuration:loop:)``, and throws `connectionClosure` where the client is closed meanwhile. With a task that
    /// is cancelled meanwhile the client is closed, too.
    public func connect() async throws(WebSocketError) {
        try await reconnector.connectSuspended()
    }

    /// Closes the connection: the twin of ``close(statusCode:reason:timeout:)-1lu30`` for tasks.
    ///
    /// Calls of other threads and tasks end at once, blocked or suspended. Suspends until the connection has ended, at most
    /// for `timeout`; then the connection has been ended without the peer's close frame, which ``closure`` tells. A second
    /// close waits with the first, and ends the connection when its own time is up.
    /// - Parameters:
    ///   - statusCode: 1000-1003, 1007-1011 or 3000-4999.
    ///   - reason: at most 123 bytes of UTF-8.
    ///   - timeout: how long to wait for the peer. `nil` and -1 s: without limit.
    /// - Throws: `invalidArgument` for another code, a longer reason or another negative timeout: nothing was sent then.
    ///   `cancelled` where the task is cancelled: the connection is closed all the same, and the peer has five seconds to
    ///   answer.
    public func close(
        statusCode: Int = 1000, reason: String? = nil, timeout: Duration? = .seconds(60)
    ) async throws(WebSocketError) {
        let frame = try checkedClose(statusCode: statusCode, reason: reason, timeout: timeout)
        try await reconnector.close(frame, timeout: timeout)
    }
}

/// Connects, runs `body` with the client, and closes the connection before it returns: with 1000 after `body` has returned,
/// with 1001 ("going away") after it has thrown.
///
/// ```swift
/// try await withWebSocket("ws://localhost:9001/echo") { client in
///     try await client.send("hello")
///     print(try await client.receive())
/// }
/// ```
///
/// The close is waited for, whatever becomes of the task: for `closeTimeout` after a return, for at most five seconds after
/// an error and in a task that is cancelled. Should the task be cancelled during that wait the connection is left to end by
/// itself.
/// - Parameters:
///   - url: as for ``WebSocketClient/init(_:configuration:loop:)``.
///   - configuration: see ``ClientConfiguration``.
///   - loop: the loop that serves the connection.
///   - closeTimeout: how long the peer may take to answer the close frame; `nil`: without limit.
///   - isolation: the actor that `body` runs on, the caller's.
///   - body: what is done with the connection.
/// - Returns: what `body` returns.
/// - Throws: ``WebSocketError`` where there is no connection, and whatever `body` throws.
public func withWebSocket<Result>(
    _ url: String, configuration: ClientConfiguration = ClientConfiguration(), loop: WebSocketLoop = .shared,
    closeTimeout: Duration? = .seconds(60), isolation: isolated (any Actor)? = #isolation,
    _ body: (WebSocketClient) async throws -> Result
) async throws -> Result {
    let client = try WebSocketClient(unconnected: url, configuration: configuration, loop: loop)
    _ = try client.checkedClose(statusCode: 1000, reason: nil, timeout: closeTimeout)
    try await client.connect()
    let patience = Duration.seconds(5)
    let result: Result
    do {
        // The handler does nothing; the closure lets Swift 6.0 take a result that is not `Sendable` back to the caller's actor.
        result = try await withTaskCancellationHandler {
            try await body(client)
        } onCancel: {
        }
    } catch {
        await client.closeShielded(statusCode: 1001, timeout: patience).value
        throw error
    }
    guard !Task.isCancelled else {
        await client.closeShielded(statusCode: 1000, timeout: patience).value
        return result
    }
    let closing = client.closeShielded(statusCode: 1000, timeout: closeTimeout)
    await withTaskCancellationHandler {
        await closing.value
    } onCancel: {
        closing.cancel()
    }
    return result
}

extension WebSocketClient {
    /// Closes in a task of its own, which the cancellation of the caller's does not reach.
    fileprivate func closeShielded(statusCode: Int, timeout: Duration?) -> Task<Void, Never> {
        Task {
            do throws(WebSocketError) {
                try await close(statusCode: statusCode, timeout: timeout)
            } catch {
                // The end of the connection is what was asked for, in whichever way it comes.
            }
        }
    }
}
