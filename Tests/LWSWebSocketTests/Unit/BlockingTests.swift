// Deadlines, semaphores and locks.

import LWSServiceLoop
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
        #expect(!Deadline(after: .seconds(10)).hasPassed)
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
        #expect(
            Timing.best { _ = MonotonicSemaphore().wait(until: Deadline(after: .milliseconds(50))) }.isAbout(
                .milliseconds(50)))
    }
}
