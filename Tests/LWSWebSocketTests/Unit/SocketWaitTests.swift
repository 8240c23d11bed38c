// Who waits for a socket: the table of SocketWait, cell by cell.

import TestSupport
import Testing

@testable import LWSServiceLoop

@Suite("Who waits for a socket")
struct SocketWaitTests {
    enum Event: CaseIterable {
        case callerBlocks, driverLeavesOthers, driverLeaves, wantsToRead, wantsToWrite, suspendedCallerComes
    }

    private static func socket(_ party: SocketWait.Party) -> SocketWait {
        var wait = SocketWait()
        if party != .loop { wait.drive() }
        if party == .nobody { _ = wait.driverLeaves(isNeeded: false) }
        return wait
    }

    /// What a cell of the table says: who waits afterwards, and what has to be done. `nil`: it does not happen.
    private static func cell(_ party: SocketWait.Party, _ event: Event) -> (SocketWait.Party, SocketWait.Step)? {
        switch (party, event) {
        case (.loop, .callerBlocks), (.nobody, .callerBlocks): (.driver, .nothing)
        // They wait without driving.
        case (.driver, .callerBlocks): (.driver, .nothing)
        case (.driver, .driverLeavesOthers): (.loop, .loopWaits)
        case (.driver, .driverLeaves): (.nobody, .startClock)
        case (.loop, .driverLeaves), (.loop, .driverLeavesOthers): nil
        case (.nobody, .driverLeaves), (.nobody, .driverLeavesOthers): nil
        case (.loop, .wantsToRead), (.loop, .wantsToWrite): (.loop, .loopWaits)
        case (.driver, .wantsToRead), (.driver, .wantsToWrite): (.driver, .wakeDriver)
        case (.nobody, .wantsToRead): (.nobody, .nothing)
        case (.nobody, .wantsToWrite): (.loop, .loopWaits)
        case (.nobody, .suspendedCallerComes): (.loop, .loopWaits)
        case (let party, .suspendedCallerComes): (party, .nothing)
        }
    }

    private static func happens(_ event: Event, to wait: inout SocketWait) -> SocketWait.Step {
        switch event {
        case .callerBlocks:
            if wait.mayBeDriven { wait.drive() }
            return .nothing
        case .driverLeavesOthers: return wait.driverLeaves(isNeeded: true)
        case .driverLeaves: return wait.driverLeaves(isNeeded: false)
        case .wantsToRead: return wait.wantsChanged(toWrite: false)
        case .wantsToWrite: return wait.wantsChanged(toWrite: true)
        case .suspendedCallerComes: return wait.suspendedCallerComes()
        }
    }

    @Test("is as the table says", arguments: [SocketWait.Party.loop, .driver, .nobody], Event.allCases)
    func cells(_ party: SocketWait.Party, _ event: Event) {
        guard let (after, step) = Self.cell(party, event) else { return }
        var wait = Self.socket(party)
        #expect(wait.party == party)
        #expect(Self.happens(event, to: &wait) == step)
        #expect(wait.party == after)
    }

    @Test("is nobody until the clock has looked twice without that it was driven between")
    func clock() {
        var wait = Self.socket(.nobody)
        for _ in 0..<3 {
            wait.drive()
            #expect(wait.driverLeaves(isNeeded: false) == .nothing, "the clock runs")
            #expect(wait.clockLooks() == .nothing)
            #expect(wait.party == .nobody && wait.isOnClock)
        }
        #expect(wait.clockLooks() == .loopWaits)
        #expect(wait.party == .loop && !wait.isOnClock)
    }

    @Test("is the driver for as long as they wait, and the clock does not run for that")
    func longDriver() {
        var wait = Self.socket(.nobody)
        wait.drive()
        #expect(wait.clockLooks() == .nothing)
        #expect(wait.clockLooks() == .nothing)
        #expect(wait.party == .driver && !wait.isOnClock)
        #expect(wait.driverLeaves(isNeeded: false) == .startClock)
    }

    @Test("is the loop's thread when it was to be written to meanwhile, and the clock is done with it")
    func clockOfWaited() {
        var wait = Self.socket(.nobody)
        #expect(wait.wantsChanged(toWrite: true) == .loopWaits)
        #expect(wait.clockLooks() == .nothing)
        #expect(wait.party == .loop && !wait.isOnClock)
    }

    @Test("is never nobody without a clock that sees to it", arguments: 0..<200)
    func anyOrder(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var wait = SocketWait()
        for _ in 0..<200 {
            if Bool.random(using: &random) {
                _ = wait.clockLooks()
            } else if let event = Event.allCases.randomElement(using: &random), Self.cell(wait.party, event) != nil {
                _ = Self.happens(event, to: &wait)
            }
            #expect(wait.party != .nobody || wait.isOnClock)
        }
        _ = wait.clockLooks()
        _ = wait.clockLooks()
        #expect(wait.party != .nobody)
    }
}
