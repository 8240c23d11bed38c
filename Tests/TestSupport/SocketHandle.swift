// A connected socket that one thread may close under another's hands.

import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Owns a descriptor. Closing it while calls on it are under way wakes them and leaves the descriptor's number
/// taken until the last of them is back, so that none of them ends up on somebody else's socket.
final class SocketHandle: Sendable {
    private struct State {
        var users = 0
        var isClosed = false
    }

    private let descriptor: Int32
    private let state = Locked(State())

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        Loopback.makePrivate(descriptor)
    }

    deinit { close() }

    /// Runs `body` with the descriptor; `nil` where it has been closed.
    func use<Result>(_ body: (Int32) -> Result) -> Result? {
        let isOpen = state.withLock { state in
            if state.isClosed { return false }
            state.users += 1
            return true
        }
        guard isOpen else { return nil }
        defer { release() }
        return body(descriptor)
    }

    func sendAtOnce() {
        var isOn: Int32 = 1
        _ = use { setsockopt($0, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size)) }
    }

    /// Ends both directions; calls on the socket return, the descriptor stays.
    func shutdown() {
        _ = use { systemShutdown($0, Int32(SHUT_RDWR)) }
    }

    /// Ends the direction towards the peer.
    func endOutput() {
        _ = use { systemShutdown($0, Int32(SHUT_WR)) }
    }

    func close() {
        end { systemShutdown($0, Int32(SHUT_RDWR)) }
    }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        end { descriptor in
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
            // Wakes a reader, and tells the peer nothing yet.
            systemShutdown(descriptor, Int32(SHUT_RD))
        }
    }

    /// The number is taken out of use first; `prepare` runs before the system closes it.
    private func end(_ prepare: (Int32) -> Void) {
        let isMine = state.withLock { state in
            if state.isClosed { return false }
            state.isClosed = true
            state.users += 1
            return true
        }
        guard isMine else { return }
        prepare(descriptor)
        release()
    }

    private func release() {
        let isLast = state.withLock { state in
            state.users -= 1
            return state.isClosed && state.users == 0
        }
        if isLast { systemClose(descriptor) }
    }
}

// The system's calls by names of their own: the methods above hide them.
private func systemClose(_ descriptor: Int32) {
    close(descriptor)
}

private func systemShutdown(_ descriptor: Int32, _ how: Int32) {
    shutdown(descriptor, how)
}
