// Waiting/: waiting for sockets in libwebsockets' place.
//
// Holds: the sockets of a loop in one epoll, each with what libwebsockets wants of it, who waits for one by themselves, and
// whether it is read from.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// All sockets of a loop, in an epoll set: with it a wait costs the same for ten thousand sockets as for one, which is not so
/// for lws's poll(2), and nobody has to hold the loop meanwhile. Lives on the loop but for ``wait(milliseconds:)``.
final class SocketSet {
    /// Something that a wait has found.
    struct Event {
        let tag: UInt64
        let ready: Int16
        var isFile: Bool { tag == SocketSet.fileTag }
    }

    /// How long nobody waits for a socket after its driver has gone, and at most twice that, in nanoseconds. Who waits for one
    /// message after another is back sooner, and finds nothing to be undone.
    ///
    /// A ping that comes meanwhile waits for so long, where it has to be answered within 50 ms. At the end of each the loop's
    /// thread has a turn, for which it and the caller wake one another: with 2 ms receiving took up to a quarter longer.
    private static let absence = 8_000_000
    private static let wakerTag = UInt64.max
    private static let clockTag = UInt64.max - 1
    private static let fileTag = UInt64.max - 2

    /// Interrupts the wait of the loop's thread.
    let waker: Waker
    private let watch: Int32
    /// Runs while some socket is on it.
    private let clock: Int32
    private var isClockRunning = false
    private var sockets: [Int32: WatchedSocket] = [:]
    /// What lws serves before any socket; see ``HeldLoop/watchFile(_:)``.
    private(set) var file: Int32?
    /// How many belong to connections that are being made or ended.
    private(set) var unsettled = 0
    private var marked: [WatchedSocket] = []
    private var onClock: [WatchedSocket] = []
    private var generation: UInt32 = 0
    /// For drivers, kept for the next: some, so that a rush of callers does not cost their descriptors for ever.
    private static let mostSpareWakers = 64
    private var spareWakers: [Waker] = []
    private var tags = [UInt64](repeating: 0, count: 64)
    private var bits = [UInt32](repeating: 0, count: 64)

    /// `nil` where the system has no descriptor left.
    init?() {
        guard let waker = Waker() else { return nil }
        self.waker = waker
        watch = clws_make_watch()
        clock = clws_make_clock()
        guard watch >= 0, clock >= 0,
            clws_watch(watch, true, waker.descriptor, UInt32(POLLIN), Self.wakerTag),
            clws_watch(watch, true, clock, UInt32(POLLIN), Self.clockTag)
        else {
            if watch >= 0 { close(watch) }
            if clock >= 0 { close(clock) }
            return nil
        }
    }

    deinit {
        close(watch)
        close(clock)
    }

    // MARK: - Which sockets

    /// The socket of a connection that is being made; what has happened to it is told of, too. `nil` where the system cannot
    /// watch it.
    func add(_ connection: OpaquePointer) -> WatchedSocket? {
        generation &+= 1
        let socket = WatchedSocket(connection, generation, in: self)
        socket.armed = clws_each_change
        guard clws_watch(watch, true, socket.descriptor, socket.armed, tag(of: socket)) else { return nil }
        sockets[socket.descriptor] = socket
        unsettled += 1
        return socket
    }

    func open(_ socket: WatchedSocket) {
        guard socket.isRegistered, !socket.isOpen else { return }
        (socket.isOpen, socket.wasOpen) = (true, true)
        unsettled -= 1
        set(socket, UInt32(socket.events))
    }

    /// What has happened to the socket is told of once more.
    func end(_ socket: WatchedSocket) {
        guard socket.isRegistered, socket.isOpen else { return }
        socket.isOpen = false
        unsettled += 1
        set(socket, clws_each_change)
        socket.driver?.signal()
    }

    func remove(_ socket: WatchedSocket) {
        guard socket.isRegistered else { return }
        socket.isRegistered = false
        if socket.isOpen {
            socket.isOpen = false
            socket.driver?.signal()
        } else {
            unsettled -= 1
        }
        sockets[socket.descriptor] = nil
        clws_unwatch(watch, socket.descriptor)
    }

    /// Returns false where the system cannot watch it.
    func watchFile(_ descriptor: Int32) -> Bool {
        guard clws_watch(watch, true, descriptor, UInt32(POLLIN), Self.fileTag) else { return false }
        file = descriptor
        return true
    }

    // MARK: - Those that are not open

    /// lws is to look at one that is not open, for it wants something else of it.
    func mark(_ socket: WatchedSocket) {
        socket.changes &+= 1
        guard !socket.isMarked else { return }
        socket.isMarked = true
        marked.append(socket)
    }

    /// lws is about to look at all of them. Those of which it holds something back are to be looked at once more after that: it
    /// does not tell that it goes on waiting to write.
    func markUnsent() {
        guard unsettled > 0 else { return }
        for socket in sockets.values where !socket.isOpen && socket.isUnsent { mark(socket) }
    }

    /// The next of which lws wants something else.
    func nextMarked() -> WatchedSocket? {
        guard !marked.isEmpty else { return nil }
        let socket = marked.removeFirst()
        socket.isMarked = false
        return socket
    }

    /// Does what the table says.
    func perform(_ step: SocketWait.Step, _ socket: WatchedSocket) {
        guard socket.isOpen else { return }
        switch step {
        case .nothing: break
        case .loopWaits: set(socket, UInt32(socket.events))
        case .wakeDriver: socket.driver?.signal()
        case .startClock:
            onClock.append(socket)
            startClock()
        }
    }

    /// The socket that an event is for, unless it is gone.
    func socket(of event: Event) -> WatchedSocket? {
        guard let socket = sockets[Int32(truncatingIfNeeded: event.tag & 0xffff_ffff)],
            tag(of: socket) == event.tag
        else { return nil }
        return socket
    }

    private func tag(of socket: WatchedSocket) -> UInt64 {
        UInt64(socket.generation) << 32 | UInt64(UInt32(bitPattern: socket.descriptor))
    }

    private func set(_ socket: WatchedSocket, _ events: UInt32) {
        guard socket.armed != events else { return }
        socket.armed = events
        _ = clws_watch(watch, false, socket.descriptor, events, tag(of: socket))
    }

    // MARK: - Drivers

    /// Leaves the socket to a caller, its driver. `nil` where another has it, or where there is no descriptor to wake them by.
    func lend(_ socket: WatchedSocket) -> Waker? {
        guard socket.isOpen, socket.wait.mayBeDriven else { return nil }
        // A late signal for who had it before makes this one look in vain, once.
        guard let waker = spareWakers.popLast() ?? Waker() else { return nil }
        socket.wait.drive()
        socket.driver = waker
        set(socket, 0)
        return waker
    }

    /// The caller is done with it.
    /// - Parameter isNeeded: somebody else waits for what comes, so that it must be waited for at once.
    func takeBack(_ socket: WatchedSocket, _ waker: Waker, isNeeded: Bool) {
        if spareWakers.count < Self.mostSpareWakers { spareWakers.append(waker) }
        socket.driver = nil
        perform(socket.wait.driverLeaves(isNeeded: isNeeded || socket.wantsToWrite), socket)
    }

    private func startClock() {
        guard !isClockRunning else { return }
        isClockRunning = true
        clws_start_clock(clock, Self.absence)
    }

    /// Watches those again whose drivers did not come back.
    private func clockLooks() {
        clws_reset_waker(clock)
        isClockRunning = false
        onClock.removeAll { socket in
            guard socket.isOpen else { return true }
            perform(socket.wait.clockLooks(), socket)
            return !socket.wait.isOnClock
        }
        if !onClock.isEmpty { startClock() }
    }

    // MARK: - Waiting

    /// Blocks until something happens, by the loop's own thread, which does not hold the loop meanwhile. Signals and clock
    /// are dealt with by ``sort(_:)``.
    func wait(milliseconds: Int32) -> Int {
        Int(clws_wait(watch, &tags, &bits, Int32(tags.count), milliseconds))
    }

    /// What has happened to sockets, of as many events as the wait has given.
    func sort(_ count: Int) -> [Event] {
        guard count > 0 else { return [] }
        var events: [Event] = []
        for (tag, bits) in zip(tags, bits).prefix(count) {
            switch tag {
            case Self.wakerTag: waker.reset()
            case Self.clockTag: clockLooks()
            // Before all sockets.
            case Self.fileTag: events.insert(Event(tag: tag, ready: Int16(POLLIN)), at: 0)
            default: events.append(Event(tag: tag, ready: Int16(truncatingIfNeeded: bits)))
            }
        }
        return events
    }
}
