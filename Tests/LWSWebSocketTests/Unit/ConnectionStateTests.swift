// The life of a connection as a state machine, without I/O.

import DequeModule
import HTTPTypes
import LWSServiceLoop
import Testing

@testable import LWSWebSocket

@Suite("The state of a connection")
struct ConnectionStateTests {
    private func opened() -> ConnectionState {
        var state = ConnectionState()
        _ = state.beginConnecting(waking: .blocked(MonotonicSemaphore()))
        _ = state.opened(nil)
        return state
    }

    private let normal = CloseFrame(code: 1000, reason: "done")

    @Test("connects once")
    func once() {
        var state = ConnectionState()
        let isFirst = state.beginConnecting(waking: .blocked(MonotonicSemaphore()))
        #expect(isFirst)
        #expect(state.beginConnecting(waking: .blocked(MonotonicSemaphore())) == false)
    }

    @Test("does not open after it was closed while connecting")
    func closedWhileConnecting() {
        var state = ConnectionState()
        let opener = MonotonicSemaphore()
        _ = state.beginConnecting(waking: .blocked(opener))
        let effects = state.close(with: normal)
        #expect(effects?.wake.map { $0.semaphore === opener } == [true])
        #expect(effects?.abort == true)
        #expect(state.opened(nil) == nil)
        #expect(state.phase == .ended)
    }

    @Test("sends its close frame once, and no message after it")
    func closing() {
        var state = opened()
        let message = [UInt8]().withUnsafeBytes { OutgoingMessage(.text, $0) }
        let isQueued = state.write(message)
        #expect(isQueued)
        #expect(state.close(with: normal)?.requestWrite == true)
        #expect(message.outcome == nil, "nobody is told before the close frame has left")
        guard case .close(normal) = state.nextFrame(maxFrameSize: 10) else {
            Issue.record("no close frame")
            return
        }
        guard case .none = state.nextFrame(maxFrameSize: 10) else {
            Issue.record("something follows the close frame")
            return
        }
        #expect(state.close(with: normal) == nil, "the second close does nothing")
        _ = state.closeFrameLeft()
        #expect(message.outcome == .unsent)
        #expect(state.write(message) == false)
    }

    @Test("wakes readers and writers when its close frame has left, and those who come before that with them")
    func takesLeave() {
        for end in [
            { $0.closeFrameLeft() }, { $0.received(CloseFrame(code: 1000, reason: "")) },
            { $0.transportEnded(violation: nil) }, { $0.giveUp(Ending(initiator: .local)) },
        ] as [(inout ConnectionState) -> ConnectionState.Effects] {
            var state = opened()
            guard case .wait = state.read(.any).0 else { return }
            #expect(state.close(with: normal)?.wake.isEmpty == true)
            let message = [UInt8]().withUnsafeBytes { OutgoingMessage(.text, $0) }
            let isQueued = state.write(message)
            #expect(isQueued)
            guard case .wait(let late) = state.read(.any).0 else {
                Issue.record("told before the close frame has left")
                return
            }
            #expect(end(&state).wake.count == 2)
            guard case .ended = state.inbound.collect(late) else {
                Issue.record("not told")
                return
            }
            #expect(message.outcome == .unsent)
            #expect(end(&state).wake.isEmpty)
        }
    }

    @Test("gives a message that comes before its close frame has left to who waits for one")
    func lastMessage() {
        var state = opened()
        guard case .wait(let reader) = state.read(.any).0 else { return }
        _ = state.close(with: normal)
        receive(.text("last"), &state)
        guard case .message(.text("last")) = state.inbound.collect(reader) else {
            Issue.record("not given")
            return
        }
    }

    @Test("reports the peer's close frame, whoever sent the first")
    func bothClose() {
        var state = opened()
        _ = state.close(with: normal)
        _ = state.received(CloseFrame(code: 4000, reason: "me too"))
        #expect(state.ending?.closure == .init(code: 4000, reason: "me too", initiator: .local, isClean: true))
        var other = opened()
        _ = other.received(CloseFrame(code: nil, reason: ""))
        #expect(other.ending?.closure == .init(code: 1005, reason: "", initiator: .peer, isClean: true))
        #expect(other.close(with: normal) == nil)
    }

    @Test("reports 1006 where TCP ends without a close frame")
    func lost() {
        var state = opened()
        _ = state.transportEnded(violation: nil)
        #expect(state.ending?.closure == .init(code: 1006, reason: "", initiator: .network))
        #expect(state.ending?.error(host: "h").isRetriable == true)
    }

    /// Returns whether reading has to pause.
    @discardableResult
    private func receive(_ message: WebSocketMessage, _ state: inout ConnectionState) -> Bool {
        var arrived: Deque = [message]
        defer { #expect(arrived.isEmpty) }
        return state.received(&arrived).pause
    }

    @Test("lets what had arrived be read after the end")
    func leftovers() {
        var state = opened()
        receive(.text("last"), &state)
        _ = state.received(normal)
        _ = state.transportEnded(violation: nil)
        guard case .served(.message(.text("last"))) = state.read(.any).0 else {
            Issue.record("lost")
            return
        }
        guard case .served(.ended) = state.read(.any).0 else {
            Issue.record("a reader waits for nothing")
            return
        }
    }

    @Test("wakes every waiting caller when it ends")
    func wakes() {
        var state = opened()
        guard case .wait = state.read(.any).0 else { return }
        let message = [UInt8]().withUnsafeBytes { OutgoingMessage(.text, $0) }
        _ = message.waiter()
        _ = state.write(message)
        #expect(state.transportEnded(violation: nil).wake.count == 2)
    }

    @Test("reads on past a pause while it closes, and drops what nobody may read")
    func closingReadsOn() {
        var state = opened()
        let big = WebSocketMessage.binary([UInt8](repeating: 0, count: InboundQueue.maxBytes))
        #expect(receive(big, &state))
        #expect(state.close(with: normal)?.resumeReading == true)
        #expect(!receive(big, &state))
        _ = state.read(.any)
        _ = state.closeFrameLeft()
        guard case .served(.ended) = state.read(.any).0 else {
            Issue.record("the queue grew while closing")
            return
        }
    }

    @Test("tells readers what the peer did wrong, and writers how it was closed")
    func violation() {
        var state = opened()
        let effects = state.fail(.frameTooLarge(limit: 5))
        #expect(effects.requestWrite)
        #expect(effects.endAfter != nil)
        #expect(state.ending?.readError(host: "h").code == .payloadTooLarge)
        #expect(
            state.ending?.readError(host: "h").description.contains("Max frame length of 5 has been exceeded") == true
        )
        #expect(state.ending?.error(host: "h").closure?.code == 1009)
    }

    @Test("waits for a message that was sent in front of the queue, and has not left")
    func begunMessage() {
        func message() -> OutgoingMessage { [UInt8(0)].withUnsafeBytes { OutgoingMessage(.text, $0) } }
        var state = opened()
        let (direct, queued, late) = (message(), message(), message())
        #expect(state.mayWrite)
        state.begun(direct)
        #expect(!state.mayWrite && state.isWaitedFor)
        _ = state.write(queued)
        _ = state.flushed()
        #expect(direct.outcome == .sent && queued.outcome == nil)
        state.begun(direct)
        _ = state.transportEnded(violation: nil)
        #expect(direct.outcome == .cut && queued.outcome == .unsent)
        state.begun(late)
        #expect(late.outcome == .cut && !state.mayWrite)
    }

    @Test("ends where a write is given up of which a part has left")
    func partialWrite() {
        var state = opened()
        let message = [UInt8](repeating: 0, count: 20).withUnsafeBytes { OutgoingMessage(.text, $0) }
        _ = state.write(message)
        _ = state.nextFrame(maxFrameSize: 10)
        guard case .begun(let effects) = state.withdraw(message) else {
            Issue.record("taken back")
            return
        }
        #expect(effects.abort)
        #expect(state.phase == .ended)
    }
}
