// What is known of a running peer program.

import Foundation
import LWSServiceLoop

/// Shared between the program's thread and the test. A signal is sent only while the process is not reaped, under
/// the lock that the reaping takes too: its number cannot have passed to another process.
final class PeerProcessState: Sendable {
    private struct State {
        var identifier: Int32 = 0
        var error: (any Error)?
        var output: [UInt8] = []
        var hasEnded = false
        var exit: PeerProcess.Exit?
        var isJoined = false
    }

    /// More than this many bytes of output are not kept.
    private static let limit = 64 * 1024

    private let state = Locked(State())
    private let news = MonotonicSemaphore()
    private let ended = MonotonicSemaphore()

    var identifier: Int32 { state.withLock { $0.identifier } }
    var startError: (any Error)? { state.withLock { $0.error } }
    var exit: PeerProcess.Exit? { state.withLock { $0.exit } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    var output: String { String(decoding: state.withLock { $0.output }, as: UTF8.self) }

    // MARK: For the program's thread

    func started(_ child: Result<PeerProcessChild, any Error>) {
        state.withLock { state in
            switch child {
            case .success(let child): state.identifier = child.identifier
            case .failure(let error): (state.error, state.hasEnded) = (error, true)
            }
        }
    }

    func append(_ bytes: ArraySlice<UInt8>) {
        state.withLock { state in
            state.output += bytes
            if state.output.count > Self.limit { state.output.removeFirst(state.output.count - Self.limit / 2) }
        }
        news.signal()
    }

    /// Collects the process, which has ended.
    func reap() {
        state.withLock { state in
            var status: Int32 = 0
            while waitpid(state.identifier, &status, 0) < 0 && errno == EINTR {}
            // WIFEXITED and its like are macros that Swift does not see.
            let signal = status & 0x7F
            state.exit = signal == 0 ? .code(status >> 8 & 0xFF) : .signal(signal)
            state.hasEnded = true
        }
        ended.signal()
        news.signal()
    }

    // MARK: For the test

    func send(_ signal: Int32) {
        state.withLock { state in
            if !state.hasEnded { _ = kill(state.identifier, signal) }
        }
    }

    func waitForEnd(_ deadline: Deadline) -> Bool {
        guard ended.wait(until: deadline) else { return false }
        ended.signal()  // for the next one
        return true
    }

    /// Until there is more output, or the end, or `deadline`; false for the last. For one waiter at a time.
    func waitForNews(_ deadline: Deadline) -> Bool { news.wait(until: deadline) }

    func line(startingWith prefix: String) -> Substring? {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().first { $0.hasPrefix(prefix) }
    }

    /// True for exactly one caller.
    func claimJoin() -> Bool {
        state.withLock { state in
            defer { state.isJoined = true }
            return !state.isJoined
        }
    }
}
