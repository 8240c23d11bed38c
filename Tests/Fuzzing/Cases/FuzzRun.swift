// Many cases on several threads, watched.

import LWSServiceLoop
import TestSupport

/// Runs a range of cases and gathers what went wrong.
package final class FuzzRun: Sendable {
    package struct Options: Sendable {
        package var seed: UInt64
        package var cases: Range<UInt64>
        package var only: FuzzInput?
        package var threads = 4

        package init(seed: UInt64, cases: Range<UInt64>, only: FuzzInput? = nil) {
            self.seed = seed
            self.cases = cases
            self.only = only
        }
    }

    /// A case that failed, as it can be run again.
    package struct Failure: Sendable, CustomStringConvertible {
        package let input: FuzzInput
        package let index: UInt64
        package let words: String
        package var description: String { "\(input.rawValue), case \(index): \(words)" }
    }

    private struct State {
        var next: UInt64
        var running: [Int: (index: UInt64, since: ContinuousClock.Instant)] = [:]
        var done: [FuzzInput: Int] = [:]
        var failures: [Failure] = []
    }

    /// A case that takes longer hangs.
    private static let longest = Duration.seconds(120)
    /// No more are looked for once there are so many.
    private static let mostFailures = 20

    private let options: Options
    private let state: Locked<State>
    private let ended = MonotonicSemaphore()

    package init(_ options: Options) {
        self.options = options
        state = Locked(State(next: options.cases.lowerBound))
    }

    /// Cases run so far, by their kind.
    package var done: [FuzzInput: Int] { state.withLock { $0.done } }
    package var failures: [Failure] { state.withLock { $0.failures } }

    /// Blocks until all are done. `tick` is called every second.
    /// - Returns: false where a case hangs, whose thread is left to itself.
    package func run(tick: () -> Void = {}) throws -> Bool {
        let authority = try CertificateAuthority.shared
        let files = try KeyFiles(authority)
        var threads: [LoopThread] = []
        for number in 0..<options.threads {
            threads.append(
                try LoopThread(name: "fuzz-\(number)") { [self] in
                    work(number, authority, files)
                    ended.signal()
                })
        }
        var left = threads.count
        while left > 0 {
            if ended.wait(until: Deadline(after: .seconds(1))) { left -= 1 }
            tick()
            guard reportHangs() else {
                for thread in threads { thread.detach() }
                return false
            }
        }
        for thread in threads { thread.join() }
        return true
    }

    private func work(_ number: Int, _ authority: CertificateAuthority, _ files: KeyFiles) {
        do {
            let worker = try FuzzWorker(authority, files)
            defer { worker.stop() }
            while let index = take(number) {
                let input = options.only ?? FuzzInput.ofCase(index)
                var fault: FuzzFault?
                do throws(FuzzFault) {
                    try worker.run(input, Choices(seed: options.seed, case: index))
                } catch {
                    fault = error
                }
                finish(number, input, index, fault)
            }
        } catch {
            state.withLock {
                $0.failures.append(
                    Failure(input: .frames, index: 0, words: "the peers could not be started: \(error)"))
            }
        }
    }

    private func take(_ number: Int) -> UInt64? {
        state.withLock { state in
            guard options.cases.contains(state.next), state.failures.count < Self.mostFailures else { return nil }
            defer { state.next += 1 }
            state.running[number] = (state.next, .now)
            return state.next
        }
    }

    private func finish(_ number: Int, _ input: FuzzInput, _ index: UInt64, _ fault: FuzzFault?) {
        state.withLock { state in
            state.running[number] = nil
            state.done[input, default: 0] += 1
            if let fault { state.failures.append(Failure(input: input, index: index, words: fault.description)) }
        }
    }

    /// Returns false where a case hangs.
    private func reportHangs() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            guard let hanging = state.running.values.first(where: { now - $0.since > Self.longest }) else {
                return true
            }
            let input = options.only ?? FuzzInput.ofCase(hanging.index)
            state.failures.append(Failure(input: input, index: hanging.index, words: "hangs"))
            return false
        }
    }
}
