// Connections of which nothing is read for now, and which nobody but lws watches.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Notices that the peer has reset such a connection.
///
/// From 4.3 on lws does not end it while there is something left that it has buffered, but waits for its socket all the same
/// (core-net/service.c: `lws_service_fd_tsi`), which comes back at once, for ever. Lives on the loop.
final class PausedConnections {
    private var gates: [Int32: ReadGate] = [:]

    func add(_ gate: ReadGate, _ descriptor: Int32) { gates[descriptor] = gate }

    /// The socket may be another's by now.
    func remove(_ gate: ReadGate, _ descriptor: Int32) {
        if gates[descriptor] === gate { gates[descriptor] = nil }
    }

    /// lws has looked at the sockets that it waits for.
    func look(_ held: borrowing HeldLoop) {
        guard !gates.isEmpty else { return }
        var sockets = gates.keys.map { pollfd(fd: $0, events: 0, revents: 0) }
        guard poll(&sockets, nfds_t(sockets.count), 0) > 0 else { return }
        for socket in sockets where socket.revents & Int16(POLLHUP | POLLERR) != 0 { gates[socket.fd]?.hungUp(held) }
    }
}
