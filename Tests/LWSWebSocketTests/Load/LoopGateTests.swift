// The lock of a loop, with many threads at it.

import TestSupport
import Testing

@testable import LWSServiceLoop

@Suite("The gate of a loop")
struct LoopGateTests {
    /// Counts in steps that only one thread at a time gets right.
    private final class Counter: @unchecked Sendable {
        // Safe to share: this is what the test is about, and the thread sanitizer watches.
        var value = 0
    }

    @Test("is held by one thread at a time, and nobody sleeps for ever")
    func exclusion() throws {
        let (gate, counter) = (LoopGate(), Counter())
        let (threads, turns) = (6, 20_000)
        let isOver = Locked(false)
        let servant = try Background { () throws -> Int in
            var turns = 0
            while !isOver.withLock({ $0 }) {
                gate.enterAsServant()
                #expect(gate.isHeldByCurrentThread)
                turns += 1
                gate.giveWay()
                gate.leave()
            }
            return turns
        }
        let callers = try (0..<threads).map { _ in
            try Background {
                for _ in 0..<turns {
                    gate.enter()
                    counter.value += 1
                    gate.leave()
                }
            }
        }
        for caller in callers { try caller.value(within: .seconds(300)) }
        isOver.withLock { $0 = true }
        #expect(try servant.value() > 0)
        #expect(counter.value == threads * turns)
        #expect(gate.tryEnter())
        gate.leave()
    }

    @Test("lets the loop's own thread in, though there are always callers who want it")
    func servantHasItsTurn() throws {
        let gate = LoopGate()
        let isOver = Locked(false)
        let callers = try (0..<6).map { _ in
            try Background {
                while !isOver.withLock({ $0 }) {
                    gate.enter()
                    gate.leave()
                }
            }
        }
        let servant = try Background {
            for _ in 0..<300 {
                gate.enterAsServant()
                gate.leave()
            }
        }
        #expect(throws: Never.self) { try servant.value() }
        isOver.withLock { $0 = true }
        for caller in callers { try caller.value() }
    }

    @Test("gives the next turn to a caller who slept through a long one, though the holder comes again at once")
    func sleeperHasItsTurn() throws {
        let (gate, mayLeave) = (LoopGate(), MonotonicSemaphore())
        gate.enterAsServant()
        let sleeper = try Background {
            gate.enter()
            _ = mayLeave.wait(until: .never)
            gate.leave()
        }
        while !gate.isWaitedFor {}
        let longTurn = Deadline(after: .milliseconds(1))
        while !longTurn.hasPassed {}
        gate.leave()
        #expect(!gate.tryEnter(), "the sleeper has it, or will have")
        mayLeave.signal()
        try sleeper.value()
        #expect(gate.tryEnter())
        gate.leave()
    }
}
