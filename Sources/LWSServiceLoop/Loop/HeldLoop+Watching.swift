// How a loop waits for the sockets of connections: those that are open, and those that are being made or ended.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension HeldLoop {
    /// Whether the loop waits for the sockets of connections by itself, and has to be told of each.
    package var watchesSockets: Bool { core.sockets != nil }

    /// lws has begun to connect. To be taken back by ``WatchedSocket/forget(_:)``. `nil` where the system cannot watch the
    /// socket, or the waiting is lws's.
    package func watch(_ connection: OpaquePointer) -> WatchedSocket? { core.sockets?.add(connection) }

    /// Has lws serve a file, which it knows already, before any socket when there is something to read from it, and before it
    /// looks at a socket that has failed. Returns false where the system cannot watch it.
    package func watchFile(_ descriptor: Int32) -> Bool { core.sockets?.watchFile(descriptor) ?? true }

    /// lws was told to do something in its next pass, which no socket will tell of.
    package func noteWork() {
        core.needsPass = true
        core.endWait()
    }

    /// Has lws deal with what a wait has found.
    func serve(_ event: SocketSet.Event, of sockets: SocketSet) {
        guard !event.isFile else { return serveFile(of: sockets) }
        guard let socket = sockets.socket(of: event) else { return }
        if socket.isOpen { serve(socket, ready: event.ready) } else { advance(socket) }
    }

    func serveFile(of sockets: SocketSet) {
        if let file = sockets.file { serveReading(file) }
    }

    /// Has lws serve an open connection for whose socket something has happened.
    func serve(_ socket: WatchedSocket, ready: Int16) {
        let events = socket.events
        let shown = ready & (events | Int16(POLLERR | POLLHUP))
        guard shown != 0 else { return }
        let hasHungUp = shown & Int16(POLLHUP | POLLERR) != 0
        let isBoth = shown & Int16(POLLIN) != 0 && shown & Int16(POLLOUT) != 0
        guard hasHungUp || (isBoth && SocketPoll.hasEnded(socket.descriptor)) else {
            serve(socket.descriptor, events, ready: shown)
            return
        }
        if hasHungUp { socket.gate?.readOn(self) }
        // lws would write first, and where the peer is gone end the connection, with all that came from there before.
        let reads = shown & ~Int16(POLLOUT) | (socket.wantsToRead ? Int16(POLLIN) : 0)
        serve(socket.descriptor, socket.events, ready: reads)
        if hasHungUp, socket.isRegistered { socket.gate?.hungUp(self) }
    }

    /// Has lws read from a connection of which it does not know that there is something to read. Not from inside a callback
    /// of lws.
    /// - Returns: false where it had too little memory, which it may keep to itself.
    @discardableResult
    package func serveReading(_ descriptor: Int32) -> Bool {
        serve(descriptor, Int16(POLLIN), ready: Int16(POLLIN))
    }

    /// Gives a connection its turn to write, without reading from it. Not from inside a callback of lws.
    package func serveWriting(_ descriptor: Int32) { serve(descriptor, Int16(POLLOUT), ready: Int16(POLLOUT)) }

    /// The same from inside a callback of lws which comes while it serves the connection: who waits for the end of that is not
    /// called yet.
    func serveWritingInside(_ descriptor: Int32) { _ = callLWS(descriptor, Int16(POLLOUT), ready: Int16(POLLOUT)) }

    @discardableResult
    func serve(_ descriptor: Int32, _ events: Int16, ready: Int16) -> Bool {
        let hadMemory = callLWS(descriptor, events, ready: ready)
        core.passes.end(self)
        return hadMemory
    }

    private func callLWS(_ descriptor: Int32, _ events: Int16, ready: Int16) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: ready)
        return core.passes.watchingMemory { _ = lws_service_fd(context, &entry) }
    }

    /// In a callback of lws: whether the system has had too little memory for what lws was about, and not just no room.
    package static var lacksMemory: Bool { errno == ENOMEM || errno == ENOBUFS }

    /// lws was called, outside of its passes, for something after which finishers may wait.
    package func passEnded() { core.passes.end(self) }

    /// Whether lws has something to do that no socket tells of: data that it or OpenSSL has read already, for instance.
    var hasForcedWork: Bool { core.needsPass || lws_service_adjust_timeout(context, 1, 0) == 0 }

    /// One pass of lws over everything, without waiting. Returns false where lws has ended.
    @discardableResult
    func pass() -> Bool {
        core.beginPass(self)
        core.sockets?.markUnsent()
        return runLWS(timeout: -1)
    }

    /// Has lws serve whatever is ready. Returns false where lws has ended.
    /// - Parameter timeout: 0 waits for something; -1 does not.
    func runLWS(timeout: Int32) -> Bool {
        core.passes.isUnderWay = true
        var goesOn = false
        _ = core.passes.watchingMemory { goesOn = lws_service(context, timeout) >= 0 }
        core.passes.isUnderWay = false
        core.pausedConnections.look(self)
        core.passes.end(self)
        return goesOn
    }

    // MARK: - How connections go on that are being made or ended

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
