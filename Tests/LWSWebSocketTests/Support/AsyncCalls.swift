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
func becomes(within limit: Duration = Timing.ages, _ condition: () throws -> Bool) async rethrows -> Bool {
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
    of task: Task<Value, any Error>, within limit: Duration = Timing.ages
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

/// ``Timing/of(_:)`` for tasks.
func duration(of body: () async throws -> Void) async rethrows -> Duration {
    let start = ContinuousClock.now
    try await body()
    return ContinuousClock.now - start
}

/// How long a call takes that has to fail with `code`.
func duration<Result>(
    until code: WebSocketError.Code, _ body: () async throws -> Result
) async throws -> Duration {
    let start = ContinuousClock.now
    let error = await asyncFailure(body)
    let time = ContinuousClock.now - start
    guard error?.code == code else { throw PeerError("\(code) was expected, not \(error?.description ?? "success")") }
    return time
}

/// ``Punctuality`` of calls that suspend. A thread makes the attempts, each with a task that it waits for, and has nothing
/// to do with the threads that tasks run on.
func punctuality(
    of limit: Duration, attempt: @escaping @Sendable () async throws -> Duration
) async throws -> Punctuality {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try LoopThread(name: "test") {
                continuation.resume(
                    with: Result { try Punctuality(of: limit, attempt: { try blocking(attempt) }) })
            }.detach()
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// What a task comes to, for a thread that may wait for it.
private func blocking(_ body: @escaping @Sendable () async throws -> Duration) throws -> Duration {
    let outcome = Locked<Result<Duration, any Error>?>(nil)
    let done = MonotonicSemaphore()
    Task {
        do {
            let time = try await body()
            outcome.withLock { $0 = .success(time) }
        } catch {
            outcome.withLock { $0 = .failure(error) }
        }
        done.signal()
    }
    guard done.wait(until: Deadline(after: Timing.ages)), let result = outcome.withLock({ $0 }) else {
        throw StillRunning(limit: Timing.ages)
    }
    return try result.get()
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
