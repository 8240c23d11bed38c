// What lws has in the place of a connection's socket for a while.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Has the number by which lws knows a connection's socket stand for something else, and keeps the socket meanwhile.
final class SocketStandIn {
    /// What lws knows the connection by.
    private let place: Int32
    /// The socket. The number is the connection's own again once this has ended.
    private(set) var socket: Int32

    /// `nil` where the system has no descriptor for the socket, or none below a limit.
    init?(_ descriptor: Int32, inPlaceOf place: Int32, below limit: Int = .max) {
        self.place = place
        socket = fcntl(place, F_DUPFD_CLOEXEC, 0)
        guard socket >= 0 else { return nil }
        guard socket < limit, Socket.put(descriptor, at: place) else {
            close(socket)
            return nil
        }
    }

    /// Another takes over.
    func replace(by descriptor: Int32) -> Bool { Socket.put(descriptor, at: place) }

    /// The socket is in its place again.
    func end() {
        guard socket != place else { return }
        _ = Socket.put(socket, at: place)
        abandon()
    }

    /// lws ends the connection, or has done so.
    func abandon() {
        guard socket != place else { return }
        close(socket)
        socket = place
    }

    deinit { abandon() }
}

// MARK: - Where something goes that lws writes and that is not to be sent

/// Takes what lws writes to a connection, in the place of its socket, and drops it.
final class WriteDiversion {
    private let pair: SocketPair
    private let standIn: SocketStandIn

    /// `nil` where the system has no descriptors for it.
    init?(of place: Int32) {
        guard let pair = SocketPair(), let standIn = SocketStandIn(pair.near, inPlaceOf: place) else { return nil }
        self.pair = pair
        self.standIn = standIn
    }

    /// From here on the socket is in its place again.
    func end() { standIn.end() }

    /// lws ends the connection, or has done so.
    func abandon() { standIn.abandon() }
}
