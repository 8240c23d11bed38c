// How connections go on that are being made or ended.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension HeldLoop {
    /// How often lws looks in one turn of the loop at a connection that is being made.
    private static let mostLooks = 8

    /// Has lws go on with a connection that is being made or ended, until it does no more or others are to have a turn.
    ///
    /// It is told what poll(2) says of the socket, wanted or not. What it did not want it leaves alone: it looks at how far the
    /// connection is, and whether it may read (roles/h1/ops-h1.c: rops_handle_POLLIN_h1, roles/http/client/client-http.c:
    /// lws_client_socket_service, roles/ws/ops-ws.c: rops_handle_POLLIN_ws). But it must not be told that a socket can be
    /// written to which cannot: it takes that for the end of connecting (lws_client_connect_3_connect).
    func advance(_ socket: WatchedSocket) {
        guard socket.isRegistered, !socket.isOpen else { return }
        // What lws wants else meanwhile is seen here.
        let isMarked = socket.isMarked
        socket.isMarked = true
        // The peer of one that was open may send without pause.
        let looks = socket.wasOpen ? 1 : Self.mostLooks
        let mayDoMore = look(at: socket, looks)
        socket.isMarked = isMarked
        if mayDoMore { socket.mark(self) }
    }

    /// Has lws look at it so many times. Returns whether it may do more.
    private func look(at socket: WatchedSocket, _ looks: Int) -> Bool {
        for _ in 0..<looks {
            // A pass that is due may end the connection, which lws might give more time here.
            guard !core.needsPass else { return true }
            guard goesOn(socket) else { return false }
        }
        return true
    }

    /// Has lws look at it once. Returns whether it may do more.
    private func goesOn(_ socket: WatchedSocket) -> Bool {
        let events = socket.events
        let ready = SocketPoll.events(socket.descriptor, events)
        guard ready != 0 else { return false }
        let hasHungUp = ready & Int16(POLLERR | POLLHUP) != 0
        if hasHungUp, let sockets = core.sockets {
            // Why it has failed is to be known before lws asks.
            serveFile(of: sockets)
            guard socket.isRegistered else { return false }
        }
        let before = Progress(of: socket, ready)
        serve(socket.descriptor, events, ready: ready)
        if hasHungUp, socket.isRegistered { socket.gate?.hungUp(self) }
        guard socket.isRegistered, !socket.isOpen else { return false }
        return before.mayGoOn(to: Progress(of: socket, ready))
    }
}

/// How far lws is with a connection that is being made or ended, as far as it shows.
private struct Progress: Equatable {
    private let changes: UInt32
    private let unread: Int
    private let isUnsent: Bool
    private let takesData: Bool

    init(of socket: WatchedSocket, _ ready: Int16) {
        changes = socket.changes
        unread = ready & Int16(POLLIN) != 0 ? SocketPoll.unread(socket.descriptor) : 0
        isUnsent = socket.isUnsent
        takesData = ready & Int16(POLLOUT) != 0
    }

    /// Whether lws may do more, after what it has done. Of what it holds back it sends one piece at a time, and goes on waiting for
    /// the next without a word (core-net/service.c: lws_handle_POLLOUT_event, "leave POLLOUT active either way").
    func mayGoOn(to after: Progress) -> Bool { after != self || takesData && isUnsent }
}
