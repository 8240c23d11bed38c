// The sockets that a loop waits for by itself.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// All watched sockets of a loop, in an epoll set: with it a wait costs the same for ten thousand sockets as for one, which
/// is not so for lws's poll(2), and nobody has to hold the loop meanwhile. Lives on the loop but for ``wait(milliseconds:)``.
final class SocketSet {
    /// Something that a wait has found.
    struct Event {
        let tag: UInt64
        let ready: Int16
    }

    /// How long nobody waits for a socket after its driver has gone, and at most twice that, in nanoseconds. Who waits for one
    /// message after another is back sooner, and finds nothing to be undone.
    ///
    /// A ping that comes meanwhile waits for so long, where it has to be answered within 50 ms. At the end of each the loop's
    /// thread has a turn, for which it and the caller wake one another: with 2 ms receiving took up to a quarter longer.
    private static let absence = 8_000_000
    private static let wakerTag = UInt64.max
    private static let clockTag = UInt64.max - 1

    /// Interrupts the wait of the loop's thread.
    let waker: Waker
    private let watch: Int32
    /// Runs while some socket is on it.
    private let clock: Int32
    private var isClockRunning = false
    private var sockets: [Int32: WatchedSocket] = [:]
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

    /// `nil` where the system cannot watch it.
    func add(_ descriptor: Int32) -> WatchedSocket? {
        generation &+= 1
        let socket = WatchedSocket(descriptor, generation, in: self)
        socket.armed = UInt32(socket.events)
        guard clws_watch(watch, true, descriptor, socket.armed, tag(of: socket)) else { return nil }
        sockets[descriptor] = socket
        return socket
    }

    func remove(_ socket: WatchedSocket) {
        guard socket.isRegistered else { return }
        socket.isRegistered = false
        sockets[socket.descriptor] = nil
        clws_unwatch(watch, socket.descriptor)
        socket.driver?.signal()
    }

    /// Does what the table says.
    func perform(_ step: SocketWait.Step, _ socket: WatchedSocket) {
        guard socket.isRegistered else { return }
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
        guard socket.isRegistered, socket.wait.mayBeDriven else { return nil }
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
            guard socket.isRegistered else { return true }
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
            default: events.append(Event(tag: tag, ready: Int16(truncatingIfNeeded: bits)))
            }
        }
        return events
    }
}
