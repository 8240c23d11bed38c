// What tests of suspended callers share.

import LWSServiceLoop
import TestSupport

@testable import LWSWebSocket

/// The error that `body` throws; `nil` where it throws none.
func asyncFailure<Result>(_ body: () async throws -> Result) async -> WebSocketError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? WebSocketError
    }
}

/// ``eventually(within:_:)`` for tasks.
func becomes(within limit: Duration = .seconds(10), _ condition: () throws -> Bool) async rethrows -> Bool {
    let deadline = Deadline(after: limit)
    while try !condition() {
        if deadline.hasPassed { return false }
        // Nobody announces what is looked for.
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// The value of a task, which has to come in time.
func value<Value: Sendable>(
    of task: Task<Value, any Error>, within limit: Duration = .seconds(20)
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await task.value }
        group.addTask {
            try await Task.sleep(for: limit)
            task.cancel()
            throw StillRunning(limit: limit)
        }
        guard let first = try await group.next() else { throw StillRunning(limit: limit) }
        group.cancelAll()
        return first
    }
}

extension WebSocketClient {
    /// A message there and back.
    func echoesSuspended(_ text: String = "echo") async throws -> Bool {
        try await send(text)
        return try await receive() == .text(text)
    }

    /// Readers in line.
    var readers: Int { connection.query { $0.inbound.readerCount } }
}

extension Task where Success == WebSocketMessage, Failure == any Error {
    /// A task that receives, and is in line when this returns.
    static func receiving(from client: WebSocketClient, behind count: Int = 0) async -> Task {
        let task = Task { try await client.receive() }
        _ = await becomes { client.readers > count }
        return task
    }
}
