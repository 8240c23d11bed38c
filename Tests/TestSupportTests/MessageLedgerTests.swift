// The books that the soak keeps.

import TestSupport
import Testing

@Suite("The ledger of messages")
struct MessageLedgerTests {
    private func ledger(sent count: Int, losses: Int = 0) -> MessageLedger {
        var ledger = MessageLedger()
        for _ in 0..<count { _ = ledger.willSend(losses: losses) }
        return ledger
    }

    private func fault(_ ledger: inout MessageLedger, _ number: Int, losses: Int = 0) -> MessageLedger.Fault? {
        do throws(MessageLedger.Fault) {
            try ledger.received(number, losses: losses)
            return nil
        } catch {
            return error
        }
    }

    @Test("is content with messages that come back in order")
    func order() {
        var ledger = ledger(sent: 3)
        for number in 0..<3 { #expect(fault(&ledger, number) == nil) }
        #expect(ledger.returned == 3 && ledger.awaited == 0 && ledger.missing == 0)
    }

    @Test("notices one that comes twice, one that is overtaken, one that nobody sent")
    func faults() {
        var twice = ledger(sent: 2)
        #expect(fault(&twice, 0) == nil)
        #expect(fault(&twice, 0) == .repeated(0))
        var overtaken = ledger(sent: 2)
        #expect(fault(&overtaken, 1) == .lost(0))
        var unknown = ledger(sent: 1)
        #expect(fault(&unknown, 7) == .unknown(7))
    }

    @Test("notices one that never comes, unless its connection was lost")
    func lost() {
        var kept = ledger(sent: 1)
        #expect(throws: MessageLedger.Fault.lost(0)) { try kept.nothingCame(losses: 0) }
        var gone = ledger(sent: 2)
        #expect(throws: Never.self) { try gone.nothingCame(losses: 1) }
        #expect(gone.missing == 2 && gone.awaited == 0)
        var skipped = ledger(sent: 2)
        let third = skipped.willSend(losses: 1)
        #expect(fault(&skipped, third, losses: 1) == nil)
        #expect(skipped.missing == 2)
    }

    @Test("allows one that may not have been sent to be missing, and to come")
    func doubtful() {
        var missing = ledger(sent: 2)
        missing.maySendNever(0)
        #expect(fault(&missing, 1) == nil)
        var coming = ledger(sent: 2)
        coming.maySendNever(0)
        #expect(fault(&coming, 0) == nil)
    }
}
