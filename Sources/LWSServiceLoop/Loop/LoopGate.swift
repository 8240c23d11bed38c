// Who may hold a loop, and in which order.

import CLibWebSockets
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The lock around a loop's lws context.
///
/// Callers, who want to do one small thing and go on, come before the loop's own thread, which would otherwise take the
/// lock again and again; but some of them, or it would never have its turn where there are many.
///
/// A caller who lets go and comes again at once is quicker than one who has to wake up first. That makes it fast, but one
/// who reads large messages without pause would keep the others out for tens of milliseconds. So after a turn that took long
/// the next is given to those who slept. (Once in 300 microseconds, however short the turns are, made 64 callers a fifth
/// slower: nobody has the loop until the sleeper is awake.)
///
/// It is mostly held for a few microseconds, the time of one system call, and to sleep and be woken costs several times that:
/// so callers look again for a moment, and then let other threads run some times, of which the holder may be one that was
/// interrupted, before they sleep. (WebKit's WTF::Lock yields 40 times before it parks a thread.)
final class LoopGate: @unchecked Sendable {
    // Safe to share: what is not atomic is touched only with `mutex` held, which like the conditions goes with the last
    // reference, when nobody can be waiting any more.
    private let mutex = PosixMutex()
    private let forCallers = PosixCondition()
    private let forServant = PosixCondition()
    /// Callers who sleep.
    private var callers = 0
    /// One of them was told that the loop is free and has not looked yet: who is quicker need not wake another.
    private var isCallerWaking = false
    private var isServantWaiting = false
    /// Turns of callers since the loop's own thread began to wait for its.
    private var bypasses = 0
    /// Which turn it is.
    private let turn = Atomic<UInt>(0)
    /// The turn in which somebody went to sleep last, and since when they sleep.
    private var slept = (turn: UInt(0), since: LoopClock.now)
    /// Who may have the next turn.
    private let next = Atomic(Role.anybody)
    /// The thread that holds the loop; 0: nobody does.
    private let holder = Atomic<UInt>(0)
    /// Who sleeps or is about to. Raised before a last look at `holder`, and looked at after that is cleared: one of the two
    /// sides sees the other.
    private let sleepers = Atomic<Int>(0)

    /// How often callers look before they sleep: about five microseconds.
    private static let looks = 100
    /// How often they let others run after that.
    private static let yields = 4
    /// How often callers come before the loop's own thread: for a tenth of a millisecond or so.
    private static let mostBypasses = 16
    /// A turn of which a caller has slept through so much was long.
    private static let long = Duration.microseconds(100)

    /// As who somebody wants the loop.
    private enum Role: UInt8, AtomicRepresentable {
        case anybody, sleeper, servant
    }

    /// Whether the current thread holds the loop.
    var isHeldByCurrentThread: Bool { holder.load(ordering: .relaxed) == Self.currentThread }

    /// Takes the loop for a caller.
    func enter() {
        var role = Role.anybody
        while !look(as: role, yields: Self.yields), !sleep(as: role) { role = .sleeper }
    }

    /// The same for one who must not sleep. Returns false where others hold the loop for longer than a moment.
    func tryEnter() -> Bool { look(as: .anybody, yields: 0) }

    /// Looks for a moment. Returns false where the loop is not free yet, or others have the next turn.
    private func look(as role: Role, yields: Int) -> Bool {
        for look in 0..<Self.looks + yields {
            guard mayTake(as: role) else { return false }
            if attempt(as: role) { return true }
            if look < Self.looks { clws_relax() } else { sched_yield() }
        }
        return false
    }

    /// Sleeps until the loop may be free, if it is not. Returns whether it was.
    private func sleep(as role: Role) -> Bool {
        mutex.lock()
        callers += 1
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer {
            callers -= 1
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
            mutex.unlock()
        }
        if mayTake(as: role), attempt(as: role) { return true }
        let turn = turn.load(ordering: .relaxed)
        if slept.turn != turn { slept = (turn, LoopClock.now) }
        forCallers.wait(mutex)
        isCallerWaking = false
        return false
    }

    private func mayTake(as role: Role) -> Bool {
        let next = next.load(ordering: .relaxed)
        return next == .anybody || next == role
    }

    /// Looks once. Returns false where somebody else holds the loop.
    private func attempt(as role: Role) -> Bool {
        guard holder.load(ordering: .sequentiallyConsistent) == 0, take() else { return false }
        if role != .anybody { hadTurn(as: role) }
        return true
    }

    private func hadTurn(as role: Role) {
        if next.load(ordering: .relaxed) == role { next.store(.anybody, ordering: .relaxed) }
    }

    /// Takes the loop for its own thread, when no caller wants it or enough of them have had it.
    func enterAsServant() {
        mutex.lock()
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !isServantsTurn || !take() {
            isServantWaiting = true
            forServant.wait(mutex)
        }
        isServantWaiting = false
        bypasses = 0
        hadTurn(as: .servant)
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        mutex.unlock()
    }

    private var isServantsTurn: Bool {
        let next = next.load(ordering: .relaxed)
        return next == .servant || next == .anybody && callers == 0
    }

    func leave() {
        let turn = turn.load(ordering: .relaxed)
        holder.store(0, ordering: .sequentiallyConsistent)
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        mutex.lock()
        giveNextTurn(after: turn)
        let wakesCaller = callers > 0 && !isCallerWaking && next.load(ordering: .relaxed) != .servant
        let wakesServant = isServantWaiting && isServantsTurn
        if wakesCaller { isCallerWaking = true }
        if wakesServant { isServantWaiting = false }
        mutex.unlock()
        if wakesCaller { forCallers.signal() }
        if wakesServant { forServant.signal() }
    }

    /// Says who may have the next turn, with `mutex` held.
    private func giveNextTurn(after turn: UInt) {
        if isServantWaiting { bypasses += 1 }
        guard next.load(ordering: .relaxed) == .anybody else { return }
        if bypasses >= Self.mostBypasses {
            next.store(.servant, ordering: .relaxed)
        } else if callers > 0, slept.turn == turn, slept.since.duration(to: LoopClock.now) >= Self.long {
            next.store(.sleeper, ordering: .relaxed)
        }
    }

    /// For tests: whether somebody sleeps until the loop is free.
    var isWaitedFor: Bool {
        mutex.lock()
        defer { mutex.unlock() }
        return sleepers.load(ordering: .sequentiallyConsistent) > 0
    }

    /// Lets callers who wait have their turn. The loop's own thread holds it, before and after.
    func giveWay() {
        guard sleepers.load(ordering: .relaxed) > 0 else { return }
        leave()
        enterAsServant()
    }

    private func take() -> Bool {
        let thread = Self.currentThread
        guard holder.compareExchange(expected: 0, desired: thread, ordering: .sequentiallyConsistent).exchanged else {
            return false
        }
        turn.store(turn.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        return true
    }

    private static var currentThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }
}
