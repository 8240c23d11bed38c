// Where something goes that lws writes and that is not to be sent.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Takes what lws writes to a connection, in the place of its socket, and drops it.
final class WriteDiversion {
    private let pair: (near: Int32, far: Int32)
    private let standIn: SocketStandIn

    /// `nil` where the system has no descriptors for it.
    init?(of place: Int32) {
        guard let pair = Socket.pair() else { return nil }
        guard let standIn = SocketStandIn(pair.near, inPlaceOf: place) else {
            close(pair.near)
            close(pair.far)
            return nil
        }
        self.pair = pair
        self.standIn = standIn
    }

    /// From here on the socket is in its place again.
    func end() { standIn.end() }

    /// lws ends the connection, or has done so.
    func abandon() { standIn.abandon() }

    deinit {
        close(pair.near)
        close(pair.far)
    }
}
