// An external program that is a test's peer.

import Foundation
import LWSServiceLoop

/// A running program, its output captured. It is killed and reaped by ``stop()``, ``kill()`` or dropping it.
///
/// One thread per program starts it, reads its output to the end and reaps it. On Linux the program is started
/// through `setpriv --pdeathsig KILL`, so that it does not outlive a test process that crashes; the kernel sends
/// that signal when the *thread* that started the program ends, which is why that thread stays to the end, and
/// why no thread of a pool may start it. macOS has no such signal: there a crash leaves the program running.
package final class PeerProcess: Sendable {
    /// How a program ended.
    package enum Exit: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }

    private let name: String
    private let state: PeerProcessState
    private let thread: LoopThread
    private let folder: TemporaryFolder?

    /// Starts `program`, an absolute path.
    /// - Parameter folder: what it needs, and keeps for as long as this object is.
    package init(_ program: String, _ arguments: [String] = [], keeping folder: TemporaryFolder? = nil) throws {
        guard access(program, X_OK) == 0 else { throw PeerError("cannot run \(program)") }
        let state = PeerProcessState()
        let started = MonotonicSemaphore()
        name = program
        self.folder = folder
        self.state = state
        thread = try LoopThread(name: "peer-process") {
            let child = Result { try PeerProcessChild(program, arguments) }
            state.started(child)
            started.signal()
            guard let child = try? child.get() else { return }
            child.readOutput { state.append($0) }
            child.waitForEnd()
            state.reap()
        }
        _ = started.wait(until: .never)
        if let error = state.startError {
            thread.join()
            throw error
        }
    }

    deinit { kill() }

    package var identifier: Int32 { state.identifier }

    /// Its standard output and standard error, the last of it where it is long.
    package var output: String { state.output }

    package var isRunning: Bool { !state.hasEnded }

    /// Asks the program to end (SIGTERM), makes it end where it does not, and reaps it.
    package func stop() { end(SIGTERM, thenKillAfter: .seconds(2)) }

    /// Ends the program in the midst of things (SIGKILL) and reaps it.
    package func kill() { end(SIGKILL, thenKillAfter: nil) }

    /// Sends a signal, unless the program has ended.
    package func send(signal: Int32) { state.send(signal) }

    /// Waits until the program ends by itself.
    package func waitForExit(within limit: Duration = Timing.ages) throws -> Exit {
        guard state.waitForEnd(Deadline(after: limit)), let exit = state.exit else {
            throw PeerError("\(name) did not end within \(limit): \(output)")
        }
        if state.claimJoin() { thread.join() }
        return exit
    }

    private func end(_ signal: Int32, thenKillAfter patience: Duration?) {
        state.send(signal)
        if let patience, !state.waitForEnd(Deadline(after: patience)) { state.send(SIGKILL) }
        if state.claimJoin() { thread.join() }
    }

    /// Waits for a whole line of output that starts with `prefix`; returns what follows the prefix.
    package func waitForLine(_ prefix: String, within limit: Duration = Timing.ages) throws -> String {
        let deadline = Deadline(after: limit)
        while true {
            let hasEnded = state.hasEnded  // before the look at the output, which is complete by then
            if let line = state.line(startingWith: prefix) { return String(line.dropFirst(prefix.count)) }
            guard !hasEnded else { throw PeerError("\(name) ended early: \(output)") }
            guard state.waitForNews(deadline) else {
                throw PeerError("\(name) did not print \"\(prefix)\" within \(limit): \(output)")
            }
        }
    }

    /// Waits until the program's output contains `text`.
    package func waitForOutput(_ text: String, within limit: Duration = Timing.ages) throws {
        let deadline = Deadline(after: limit)
        while true {
            let hasEnded = state.hasEnded  // as above
            if output.contains(text) { return }
            guard !hasEnded else { throw PeerError("\(name) ended early: \(output)") }
            guard state.waitForNews(deadline) else {
                throw PeerError("\(name) did not print \"\(text)\" within \(limit): \(output)")
            }
        }
    }

    /// Waits until the program accepts connections, for those that do not tell. A program's end ends the wait.
    package func waitUntilListening(
        on port: Int, host: String = "127.0.0.1", within limit: Duration = Timing.ages
    ) throws {
        let deadline = Deadline(after: limit)
        while true {
            guard isRunning else { throw PeerError("\(name) ended early: \(output)") }
            if Loopback.accepts(host: host, port: port) { return }
            guard !deadline.hasPassed else {
                throw PeerError("\(name) did not listen on port \(port) within \(limit): \(output)")
            }
            // Nobody announces a listening socket; output and the program's end cut the pause short.
            _ = state.waitForNews(deadline.earlier(Deadline(after: .milliseconds(5))))
        }
    }
}
