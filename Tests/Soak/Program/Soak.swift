// What all clients of a soak share.

import LWSServiceLoop
import TestSupport

/// Sums, faults, and the order to stop.
final class Soak: Sendable {
    struct Sum {
        var returned = 0
        var bytes = 0
        var connections = 0
        var losses = 0
        var missing = 0
    }

    private struct State {
        var sum = Sum()
        var faults: [String] = []
        var faultCount = 0
        var isStopping = false
        var ended = 0
        var progress: [Int: ContinuousClock.Instant] = [:]
    }

    private let state = Locked(State())
    private let someEnded = MonotonicSemaphore()

    /// A client that gets nothing done for so long hangs; servers are back after a second or two.
    private static let longest = Duration.seconds(60)

    var sum: Sum { state.withLock { $0.sum } }
    var faults: [String] { state.withLock { $0.faults } }
    var faultCount: Int { state.withLock { $0.faultCount } }
    var isStopping: Bool { state.withLock { $0.isStopping } }
    var ended: Int { state.withLock { $0.ended } }

    func count(_ change: (inout Sum) -> Void) { state.withLock { change(&$0.sum) } }

    /// Told at once as well: the run may take an hour.
    func fail(_ words: String) {
        print("fault: \(words)")
        state.withLock {
            $0.faultCount += 1
            if $0.faults.count < 50 { $0.faults.append(words) }
        }
    }

    func progressed(_ client: Int) { state.withLock { $0.progress[client] = .now } }

    /// Clients that have got nothing done, each told once.
    func hangs() -> [String] {
        state.withLock { state in
            let now = ContinuousClock.now
            let hanging = state.progress.filter { now - $0.value > Self.longest }.keys.sorted()
            for client in hanging { state.progress[client] = .now }
            return hanging.map { "client \($0) has done nothing for \(Self.longest)" }
        }
    }

    func stop() { state.withLock { $0.isStopping = true } }

    func clientEnded(_ client: Int) {
        state.withLock {
            $0.ended += 1
            $0.progress[client] = nil
        }
        someEnded.signal()
    }

    /// Whether so many clients have ended in time.
    func waitForEnd(of count: Int, _ deadline: Deadline) -> Bool {
        for _ in 0..<count where !someEnded.wait(until: deadline) { return false }
        return true
    }
}

/// What a soak draws from random numbers.
extension SeededGenerator {
    mutating func number(below limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// Between nothing and twice the mean.
    mutating func wait(mean: Double) -> Duration { .seconds(Double.random(in: 0...2 * mean, using: &self)) }
}
