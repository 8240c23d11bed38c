// How far a connection is.

internal import LWSServiceLoop

extension ClientSession {
    /// | phase | what is waited for | what comes next |
    /// |---|---|---|
    /// | `idle` | nothing: lws knows of no connection | `connecting` to the next address; `over` where there is none |
    /// | `connecting` | TCP, to the address or to the proxy there | `proxy`, `securing`; `idle` where it fails |
    /// | `proxy` | what the proxy answers to CONNECT | `securing` |
    /// | `securing` | TLS, where there is any, and that lws sends the request | `asking`; `idle` where it fails |
    /// | `asking` | what the server answers | `upgrading`, or the answer is all there is |
    /// | `upgrading` | that lws has read the answer, with 101 | `open` |
    /// | `open` | messages | `closing` |
    /// | `closing` | the end of TCP | `over` |
    /// | `givenUp` | that lws ends it in its next pass, if it knows of it: it has failed, or nobody needs it any more | `over` |
    /// | `over` | nothing | |
    ///
    /// Any phase in front of `open` may be followed by `givenUp`, and each by `over` when lws ends the connection.
    enum Phase {
        case idle
        case connecting(ReachingWatch?)
        case proxy(ProxyWatcher)
        case securing
        case asking(AnswerReader)
        case upgrading(AnswerReader)
        case open
        case closing
        case givenUp
        case over
    }
}

extension ClientSession.Phase {
    /// The server has agreed to the upgrade, and those who use the connection have yet to hear of its end.
    var isEstablished: Bool {
        switch self {
        case .open, .closing: true
        default: false
        }
    }

    var isGivenUp: Bool {
        if case .givenUp = self { true } else { false }
    }

    var isIdle: Bool {
        if case .idle = self { true } else { false }
    }

    /// Whether what goes wrong may be the address's fault. With a proxy there is no other address by then.
    var mayTryNext: Bool {
        switch self {
        case .connecting, .securing: true
        default: false
        }
    }

    /// Whether the way to the server is there: the proxy has agreed to the connection, where there is one.
    var hasReachedServer: Bool {
        switch self {
        case .securing, .asking, .upgrading, .open, .closing: true
        default: false
        }
    }

    /// Has nobody look at the socket any more. To be called before lws closes it.
    func stopWatching(_ held: borrowing HeldLoop) {
        switch self {
        case .connecting(let watch): watch?.stop(held)
        case .proxy(let watcher): watcher.stop(held)
        case .asking(let reader), .upgrading(let reader): reader.stop(held)
        case .idle, .securing, .open, .closing, .givenUp, .over: break
        }
    }
}
