// Connecting and closing without blocking a thread.

internal import LWSServiceLoop

extension WebSocketClient {
    /// Connects to `url` and returns when the connection is open: the twin of ``init(_:configuration:loop:)`` for tasks
    /// (contract: "init").
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
        try await link.connectSuspended()
    }

    /// Closes the connection: the twin of ``close(statusCode:reason:timeout:)-1lu30`` for tasks (contract: "close").
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
        try await link.close(frame, timeout: timeout)
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
        result = try await body(client)
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
