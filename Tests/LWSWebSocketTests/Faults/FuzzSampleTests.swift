// A fixed sample of what `make fuzz` plays to clients.

import FuzzCases
import LWSWebSocket
import TestConditions
import TestSupport
import Testing

/// Each kind of input that a network controls, in its share; see Tests/Fuzzing.
@Suite("Generated input", .serialized)
struct FuzzSampleTests {
    @Test("ends with a typed error, in time, while the loop serves a healthy connection", .needsCompression)
    func sample() throws {
        let count: UInt64 = Sanitizer.isActive ? 1000 : 2000
        let run = FuzzRun(FuzzRun.Options(seed: 20, cases: 0..<count))
        #expect(try run.run())
        #expect(run.failures.isEmpty, "\(run.failures)")
        #expect(run.done.values.reduce(0, +) == Int(count))
        #expect(Set(run.done.keys) == Set(FuzzInput.allCases))
    }

    @Test("is judged: a client that makes something else of it is noticed")
    func judgement() throws {
        let missing = Expectation.sample(messages: [.text("a")], isComplete: false)
        #expect(missing.fault(ofMessages: [], code: .connectionClosure) != nil)
        #expect(missing.fault(ofMessages: [.text("b")], code: .connectionClosure) != nil)
        #expect(missing.fault(ofMessages: [.text("a"), .text("b")], code: .connectionClosure) == nil)
        #expect(missing.fault(ofMessages: [.text("a")], code: .readTimedOut) != nil)
        let complete = Expectation.sample(messages: [.text("a")], isComplete: true)
        #expect(complete.fault(ofMessages: [.text("a"), .text("b")], code: .connectionClosure) != nil)
        #expect(complete.fault(ofMessages: [.text("a")], code: nil) != nil)
    }
}
