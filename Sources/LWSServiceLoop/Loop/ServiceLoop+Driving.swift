// A blocked caller who serves the connection that they wait for.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension ServiceLoop {
    /// Waits for `semaphore`, and serves a connection meanwhile in place of the loop's thread: what comes is handled where
    /// it is wanted, and no thread has to wake another.
    ///
    /// Where that is not possible, because another caller serves the connection already, it is not open, or the waiting is
    /// lws's, this is `semaphore`'s own wait.
    /// - Parameters:
    ///   - find: the connection's socket, if it can be waited for.
    ///   - isNeeded: whether others wait for the connection too, when this caller is done.
    /// - Returns: false where the deadline came first.
    package func wait(
        for semaphore: MonotonicSemaphore, until deadline: Deadline,
        serving find: (borrowing HeldLoop) -> WatchedSocket?, isNeeded: () -> Bool
    ) -> Bool {
        let found = hold { held -> Driving? in
            guard let sockets = held.core.sockets, let socket = find(held), let waker = sockets.lend(socket) else {
                return nil
            }
            return Driving(socket: socket, sockets: sockets, waker: waker, held)
        }
        guard var driving = found ?? nil else { return semaphore.wait(until: deadline) }
        semaphore.attach(driving.waker)
        var isOver = false
        var isTimedOut = false
        while !isOver, !isTimedOut, !semaphore.isSignalled {
            let ready = driving.wait(until: deadline)
            isTimedOut = ready == 0 && deadline.hasPassed
            let state = hold { held in
                driving.serve(ready, held)
                // In the same turn, where that was it.
                guard driving.isOver || isTimedOut || semaphore.isSignalled else { return false }
                driving.end(isNeeded: isNeeded(), held)
                return true
            }
            guard let state else { break }
            isOver = state
        }
        semaphore.detach()
        if !isOver {
            // Asked with the loop held: a suspended caller who comes now looks whether anybody waits for the socket (`attend`).
            _ = hold { held in driving.end(isNeeded: isNeeded(), held) }
        }
        return isTimedOut ? semaphore.tryWait() : semaphore.wait(until: deadline)
    }
}

/// A socket in the hands of a caller.
private struct Driving {
    /// What lives on the loop.
    struct Loan {
        let socket: WatchedSocket
        let sockets: SocketSet
    }

    private let bound: LoopBound<Loan>
    let waker: Waker
    private let descriptor: Int32
    private var events: Int16
    private var mustPass: Bool
    /// The connection is not to be waited for any more.
    private(set) var isOver = false

    init(socket: WatchedSocket, sockets: SocketSet, waker: Waker, _ held: borrowing HeldLoop) {
        bound = LoopBound(Loan(socket: socket, sockets: sockets), held)
        self.waker = waker
        descriptor = socket.descriptor
        events = socket.events
        mustPass = held.hasForcedWork
    }

    /// Blocks until something happens to the socket, or the waker is signalled. Holds nothing.
    /// - Returns: what has happened to the socket; 0: nothing has.
    func wait(until deadline: Deadline) -> Int16 {
        var watched = (
            pollfd(fd: descriptor, events: events, revents: 0),
            pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0)
        )
        let time = mustPass ? 0 : deadline.remaining.map { Int32(clamping: ($0.microseconds + 999) / 1000) } ?? -1
        _ = withUnsafeMutablePointer(to: &watched) { pointer in
            pointer.withMemoryRebound(to: pollfd.self, capacity: 2) { poll($0, 2, time) }
        }
        if watched.1.revents != 0 { waker.reset() }
        return watched.0.revents
    }

    mutating func serve(_ ready: Int16, _ held: borrowing HeldLoop) {
        let socket = bound.get(held).socket
        if socket.isOpen, ready != 0 { held.serve(socket, ready: ready) }
        // What no socket tells of is mostly the rest of what was just read.
        if socket.isOpen, mustPass, held.hasForcedWork { held.pass() }
        isOver = !socket.isOpen
        events = socket.events
        mustPass = held.hasForcedWork
    }

    func end(isNeeded: Bool, _ held: borrowing HeldLoop) {
        let loan = bound.get(held)
        loan.sockets.takeBack(loan.socket, waker, isNeeded: isNeeded)
    }
}
