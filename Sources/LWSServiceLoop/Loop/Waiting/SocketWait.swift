// Who waits for a socket, and who does next: a table, without I/O and without locks.

/// Who waits for one socket of a loop. ``SocketSet`` does what this says.
///
/// A caller who is blocked on a connection waits for its socket in place of the loop's thread, and serves it: its driver. Of
/// several, one drives, and the others wait until they are served; when the driver leaves, be it with a message, by their
/// deadline or because the connection is closed, the loop's thread goes on at once where others wait, and else a little later,
/// for the same caller is likely to be back before.
///
/// | | the loop's thread waits | a driver waits | nobody waits |
/// |---|---|---|---|
/// | a caller is blocked | they drive | they wait without driving | they drive |
/// | the driver leaves, and others wait, or it is to be written to | | the loop's thread | |
/// | the driver leaves | | nobody, and the clock runs | |
/// | libwebsockets wants something else of it | the loop's thread waits for that | the driver is woken, and waits for that | where that is to write, the loop's thread |
/// | a suspended caller comes | | | the loop's thread |
/// | the clock, when it was driven since the last time | | | |
/// | the clock, when it was not | no clock any more | no clock any more | the loop's thread |
struct SocketWait {
    enum Party { case loop, driver, nobody }

    /// What has to be done about it.
    enum Step {
        case nothing
        /// The loop's thread waits from now on, for what is wanted now.
        case loopWaits
        case wakeDriver
        case startClock
    }

    private(set) var party = Party.loop
    /// The clock looks at it.
    private(set) var isOnClock = false
    /// How often it was driven, and how often when the clock looked last.
    private var uses: UInt32 = 0
    private var usesSeen: UInt32 = 0

    /// A caller who is blocked may drive; else they wait until they are served.
    var mayBeDriven: Bool { party != .driver }

    mutating func drive() {
        party = .driver
        uses &+= 1
    }

    /// - Parameter isNeeded: others wait for what comes, or it is to be written to.
    mutating func driverLeaves(isNeeded: Bool) -> Step {
        guard !isNeeded else { return loopWaits() }
        party = .nobody
        guard !isOnClock else { return .nothing }
        isOnClock = true
        usesSeen = uses
        return .startClock
    }

    mutating func wantsChanged(toWrite: Bool) -> Step {
        switch party {
        case .loop: .loopWaits
        case .driver: .wakeDriver
        case .nobody: toWrite ? loopWaits() : .nothing
        }
    }

    mutating func suspendedCallerComes() -> Step { party == .nobody ? loopWaits() : .nothing }

    /// The clock looks. Whether it looks again says ``isOnClock``.
    mutating func clockLooks() -> Step {
        guard uses == usesSeen else {
            usesSeen = uses
            return .nothing
        }
        isOnClock = false
        return party == .nobody ? loopWaits() : .nothing
    }

    private mutating func loopWaits() -> Step {
        party = .loop
        return .loopWaits
    }
}
