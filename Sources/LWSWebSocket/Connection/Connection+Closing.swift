// Closing, with and without waiting.

internal import LWSServiceLoop

extension Connection {
    /// Sends the close frame, unless one is on its way, and waits until the connection has ended, at most until `timeout`.
    func close(_ frame: CloseFrame, timeout: Duration?) throws(WebSocketError) {
        try checkMayBlock()
        let deadline = Deadline(after: timeout)
        let semaphore = MonotonicSemaphore()
        let mustWait = update { state in
            let effects = state.close(with: frame)
            return (state.waitForEnd(waking: .blocked(semaphore)), effects)
        }
        guard mustWait, !semaphore.wait(until: deadline) else { return }
        giveUp()
    }

    /// Closes because nobody refers to the client any more (contract: 1001, without blocking). The peer has a few
    /// seconds to answer.
    func abandon() {
        update { state in
            ((), state.close(with: .goingAway, limit: .seconds(5)))
        }
    }

    /// Ends the connection without waiting any longer.
    func giveUp() {
        update { state in ((), state.giveUp(Ending(initiator: .local))) }
    }
}
