// What those who open connections tell the loop of them, so that it can wait for their sockets by itself.

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
            return serve(socket.descriptor, events, ready: shown)
        }
        if hasHungUp { socket.gate?.readOn(self) }
        // lws would write first, and where the peer is gone end the connection, with all that came from there before.
        let reads = shown & ~Int16(POLLOUT) | (socket.wantsToRead ? Int16(POLLIN) : 0)
        serve(socket.descriptor, socket.events, ready: reads)
        if hasHungUp, socket.isRegistered { socket.gate?.hungUp(self) }
    }

    /// Has lws read from a connection of which it does not know that there is something to read. Not from inside a callback
    /// of lws.
    package func serveReading(_ descriptor: Int32) { serve(descriptor, Int16(POLLIN), ready: Int16(POLLIN)) }

    /// Gives a connection its turn to write, without reading from it. Not from inside a callback of lws.
    package func serveWriting(_ descriptor: Int32) { serve(descriptor, Int16(POLLOUT), ready: Int16(POLLOUT)) }

    func serve(_ descriptor: Int32, _ events: Int16, ready: Int16) {
        var entry = pollfd(fd: descriptor, events: events, revents: ready)
        _ = lws_service_fd(context, &entry)
        core.finishPass(self)
    }

    /// lws was called, outside of its passes, for something after which finishers may wait.
    package func passEnded() { core.finishPass(self) }

    /// Whether lws has something to do that no socket tells of: data that it or OpenSSL has read already, for instance.
    var hasForcedWork: Bool { core.needsPass || lws_service_adjust_timeout(context, 1, 0) == 0 }

    /// One pass of lws over everything, without waiting. Returns false where lws has ended.
    @discardableResult
    func pass() -> Bool {
        core.passed()
        core.sockets?.markUnsent()
        return runLWS(timeout: -1)
    }

    /// Has lws serve whatever is ready. Returns false where lws has ended.
    /// - Parameter timeout: 0 waits for something; -1 does not.
    func runLWS(timeout: Int32) -> Bool {
        let goesOn = lws_service(context, timeout) >= 0
        core.pausedConnections.look(self)
        core.finishPass(self)
        return goesOn
    }
}

/// Who gathers what lws delivers piece by piece, and deals with it once for all that was read.
package protocol PassFinisher: AnyObject {
    func passEnds(_ held: borrowing HeldLoop)
}

extension HeldLoop {
    /// Has `finisher` called once, when lws returns from what it is doing. To be called from a callback of lws for a
    /// connection that is served; a later call from there, when `finisher` was called, asks again.
    package func whenPassEnds(_ finisher: any PassFinisher) { core.finishPass(with: finisher) }
}
