// Deadlines, semaphores and locks.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@Suite("A deadline")
struct DeadlineTests {
    @Test(
        "does not exist for nil, negative and endless durations",
        arguments: [nil, .seconds(-1), .seconds(Int64.max)] as [Duration?])
    func never(_ duration: Duration?) {
        #expect(Deadline(after: duration) == .never)
        #expect(Deadline(after: duration).remaining == nil)
    }

    @Test("has passed at once for zero")
    func zero() {
        #expect(Deadline(after: .zero).hasPassed)
        #expect(!Deadline(after: .seconds(600)).hasPassed)
    }
}

@Suite("A semaphore")
struct SemaphoreTests {
    @Test("lets one waiter through for each signal")
    func counts() {
        let semaphore = MonotonicSemaphore()
        semaphore.signal()
        semaphore.signal()
        #expect(semaphore.wait(until: .never))
        #expect(semaphore.wait(until: Deadline(after: .zero)))
        #expect(!semaphore.wait(until: Deadline(after: .zero)))
    }

    @Test("waits exactly as long as it is told")
    func exact() {
        // Next to the system's own wait: Punctuality compares with semaphores.
        let limit = Duration.milliseconds(100)
        var (times, others): ([Duration], [Duration]) = ([], [])
        for _ in 0..<9 {
            times.append(Timing.of { #expect(!MonotonicSemaphore().wait(until: Deadline(after: limit))) })
            others.append(Timing.of { poll(nil, 0, 100) })
        }
        #expect(times.allSatisfy { $0 >= limit }, "\(times)")
        func median(_ times: [Duration]) -> Duration { times.sorted()[times.count / 2] }
        let allowed = (median(others) - limit) * 3 + limit / 2
        #expect(median(times) - limit <= allowed, "\(times), the system's own \(others)")
    }

    @Test("what is made once is made until that succeeds, and not again")
    func madeOnce() {
        let calls = Locked(0)
        let made = MadeOnce<Int> {
            calls.withLock { count in
                count += 1
                return count < 3 ? nil : count
            }
        }
        #expect((0..<5).map { _ in made.value } == [nil, nil, 3, 3, 3])
        #expect(calls.withLock { $0 } == 3)
    }
}
