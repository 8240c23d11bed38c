// Where something goes that lws writes and that is not to be sent.

internal import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Takes what lws writes to a connection, in the place of its socket, and drops it.
final class WriteDiversion {
    /// What lws knows the connection by.
    private let place: Int32
    /// The socket, meanwhile.
    private var socket: Int32
    private let pair: (near: Int32, far: Int32)

    /// `nil` where the system has no descriptors for it.
    init?(of place: Int32) {
        guard let pair = Socket.pair() else { return nil }
        self.pair = pair
        self.place = place
        socket = fcntl(place, F_DUPFD_CLOEXEC, 0)
        guard socket >= 0, Socket.put(pair.near, at: place) else { return nil }
    }

    /// From here on the socket is in its place again.
    func end() {
        guard socket >= 0 else { return }
        _ = Socket.put(socket, at: place)
        abandon()
    }

    /// lws ends the connection, or has done so.
    func abandon() {
        guard socket >= 0 else { return }
        close(socket)
        socket = -1
    }

    deinit {
        abandon()
        close(pair.near)
        close(pair.far)
    }
}
