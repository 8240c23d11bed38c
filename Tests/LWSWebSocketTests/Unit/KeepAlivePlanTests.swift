// When the keep-alive pings, and whom it gives up.

import Testing

@testable import LWSWebSocket

@Suite("The timetable of keep-alive pings")
struct KeepAlivePlanTests {
    private let start = KeepAlivePlan.Instant.now

    private func plan(every interval: Int, within limit: Int?) -> KeepAlivePlan {
        KeepAlivePlan(.init(interval: .seconds(interval), limit: limit.map { .seconds($0) }), at: start)
    }

    private func at(_ seconds: Int) -> KeepAlivePlan.Instant { start + .seconds(seconds) }

    @Test("has a ping every interval, and without a limit judges nobody")
    func intervals() {
        var plan = plan(every: 10, within: nil)
        #expect(plan.pause(from: start, isPaused: false) == .seconds(10))
        var steps: [KeepAlivePlan.Step] = []
        for second in [9, 10, 11, 19, 20, 31] { steps.append(plan.step(at: at(second), isPaused: false)) }
        #expect(steps == [.wait, .ping, .wait, .wait, .ping, .ping])
        #expect(plan.pause(from: at(31), isPaused: false) == .seconds(9))
    }

    @Test("does not make up for pings that were missed")
    func missed() {
        var plan = plan(every: 10, within: nil)
        var steps: [KeepAlivePlan.Step] = []
        for second in [75, 75, 84, 85] { steps.append(plan.step(at: at(second), isPaused: false)) }
        #expect(steps == [.ping, .wait, .wait, .ping])
    }

    @Test("gives up when the limit is over after a ping, not before, and counts from the first unanswered one")
    func limit() {
        var plan = plan(every: 10, within: 15)
        var steps: [KeepAlivePlan.Step] = []
        for second in [10, 20, 24] { steps.append(plan.step(at: at(second), isPaused: false)) }
        #expect(steps == [.ping, .ping, .wait])
        #expect(plan.pause(from: at(24), isPaused: false) == .seconds(1))
        let last = plan.step(at: at(25), isPaused: false)
        #expect(last == .giveUp)
    }

    @Test("begins anew with each sign of life")
    func heard() {
        var plan = plan(every: 10, within: 5)
        var steps: [KeepAlivePlan.Step] = []
        for second in [10, 14, 20, 24, 30] {
            steps.append(plan.step(at: at(second), isPaused: false))
            if second % 10 == 4 { plan.heard() }
        }
        #expect(steps == [.ping, .wait, .ping, .wait, .ping])
        #expect(plan.isOverdue(at: at(35)))
    }

    @Test("judges nobody who cannot be heard, and gives them the whole time afterwards")
    func paused() {
        var plan = plan(every: 10, within: 5)
        var steps: [KeepAlivePlan.Step] = []
        for second in [10, 15, 20] { steps.append(plan.step(at: at(second), isPaused: true)) }
        #expect(steps == [.ping, .wait, .ping])
        #expect(plan.pause(from: at(20), isPaused: true) == .seconds(10))
        plan.restart(at: at(22))
        #expect(!plan.isOverdue(at: at(26)) && plan.isOverdue(at: at(27)))
        #expect(plan.pause(from: at(22), isPaused: false) == .seconds(5))
    }

    @Test("does not owe time to a peer that was not asked")
    func restartWithoutPing() {
        var plan = plan(every: 10, within: 5)
        plan.restart(at: at(3))
        #expect(!plan.isOverdue(at: at(9)))
    }
}
