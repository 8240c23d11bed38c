// How long things take, in a way that a busy machine does not spoil.

import Testing

enum Timing {
    static func of(_ body: () throws -> Void) rethrows -> Duration {
        let start = ContinuousClock.now
        try body()
        return ContinuousClock.now - start
    }

    /// The shortest of several runs: other work on the machine can only make one longer.
    static func best(of runs: Int = 5, _ body: () throws -> Void) rethrows -> Duration {
        var best = Duration.seconds(Int64.max)
        for _ in 0..<runs { best = min(best, try of(body)) }
        return best
    }
}

extension Duration {
    /// Not a moment early, and at most 10 ms late.
    func isAbout(_ expected: Duration) -> Bool {
        self >= expected && self <= expected + .milliseconds(10)
    }
}
