// The error of a call in a forked child.

internal import LWSServiceLoop

extension WebSocketError {
    /// Refuses a call that would wait for a thread which this process does not have. Takes no lock.
    static func refuseInForkedProcess(host: String) throws(WebSocketError) {
        guard ForkedProcess.isCurrent else { return }
        throw WebSocketError(
            .invalidArgument,
            "This process was forked after the library had started its threads, of which a fork copies none: have the "
                + "child start a program (exec), or fork before the first client connects", host: host)
    }
}
