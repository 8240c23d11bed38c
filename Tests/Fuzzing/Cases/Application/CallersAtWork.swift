// The callers of one client, at work.

import LWSServiceLoop
import LWSWebSocket

/// What callers do, and what came of it.
final class CallersAtWork: Sendable {
    private struct State {
        var messages: [[WebSocketMessage]] = []
        var errors: [WebSocketError] = []
        var read = 0
    }

    private let client: WebSocketClient
    private let state = Locked(State())
    /// A message was read, or a caller has ended.
    private let progress = MonotonicSemaphore()
    private let ended = MonotonicSemaphore()
    private let deadline = Deadline(after: CallersAtWork.limit)

    /// How long all of it may take.
    private static let limit = Duration.seconds(20)

    init(_ client: WebSocketClient) { self.client = client }

    /// What each reader has read.
    var messages: [[WebSocketMessage]] { state.withLock { $0.messages } }
    /// Why callers have ended.
    var errors: [WebSocketError] { state.withLock { $0.errors } }

    func start(_ name: String, _ body: @escaping @Sendable (CallersAtWork) -> Void) throws {
        try LoopThread(name: "fuzz-\(name)") { [self] in body(self) }.detach()
    }

    func wait(for count: Int) -> Bool {
        (0..<count).allSatisfy { _ in ended.wait(until: Deadline(after: Self.limit + Self.limit)) }
    }

    private func end(_ error: WebSocketError?, read messages: [WebSocketMessage] = []) {
        state.withLock { state in
            state.messages.append(messages)
            if let error { state.errors.append(error) }
        }
        progress.signal()
        ended.signal()
    }

    private func noteRead() {
        state.withLock { $0.read += 1 }
        progress.signal()
    }

    private func mayGoOn(_ error: WebSocketError) -> Bool {
        [.readTimedOut, .cancelled].contains(error.code) && !deadline.hasPassed
    }

    func read() {
        var messages: [WebSocketMessage] = []
        while true {
            do throws(WebSocketError) {
                messages.append(try client.readMessage())
                noteRead()
            } catch {
                guard mayGoOn(error) else { return end(error, read: messages) }
            }
        }
    }

    /// As a task does it, which is cancelled once in so many calls.
    func receive(cancelling times: Int, _ choices: Choices) async {
        var choices = choices
        var messages: [WebSocketMessage] = []
        while true {
            let call = Task { [client] () async throws(WebSocketError) in try await client.receive() }
            if times > 0, choices.once(in: times) {
                // Before it waits, or when it does, or when it has been given a message.
                for _ in 0..<choices.pick([0, 1, 5, 50, 300]) { await Task.yield() }
                call.cancel()
            }
            do {
                messages.append(try await call.value)
                noteRead()
            } catch let error as WebSocketError {
                guard mayGoOn(error) else { return end(error, read: messages) }
            } catch {
                return end(nil, read: messages)
            }
        }
    }

    func write() {
        do throws(WebSocketError) {
            for number in 0..<10 {
                try client.writeTextMessage("message \(number)")
                try client.ping([1, 2, 3] as [UInt8])
            }
            end(nil)
        } catch {
            end(error)
        }
    }

    func measure() {
        while true {
            do throws(WebSocketError) { _ = try client.roundTripTime(timeout: .milliseconds(2)) } catch {
                guard mayGoOn(error) else { return end(error) }
            }
        }
    }

    func close(behind count: Int, _ timeout: Duration) {
        // Or somebody has met the connection's end before.
        while state.withLock({ $0.read < count && $0.errors.isEmpty }), progress.wait(until: deadline) {}
        do throws(WebSocketError) {
            try client.close(timeout: timeout)
            end(nil)
        } catch {
            end(error)
        }
    }
}
