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
/// lock again and again; but some of them, or it would never have its turn where there are many. While that thread waits
/// inside lws, with the lock, callers are turned away instead of waiting.
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
    /// The next turn is that thread's.
    private let isReserved = Atomic<Bool>(false)
    /// The thread that holds the loop; 0: nobody does.
    private let holder = Atomic<UInt>(0)
    private let isInsideLWS = Atomic<Bool>(false)
    /// Who sleeps or is about to. Raised before a last look at `holder`, and looked at after that is cleared: one of the two
    /// sides sees the other.
    private let sleepers = Atomic<Int>(0)

    /// How often callers look before they sleep: about five microseconds.
    private static let looks = 100
    /// How often they let others run after that.
    private static let yields = 4
    /// How often callers come before the loop's own thread: for a tenth of a millisecond or so.
    private static let mostBypasses = 16

    /// Whether the current thread holds the loop.
    var isHeldByCurrentThread: Bool { holder.load(ordering: .relaxed) == Self.currentThread }

    /// Takes the loop for a caller. Returns false where the loop's own thread waits inside lws.
    func enter() -> Bool {
        while true {
            if let isTaken = look(yields: Self.yields) { return isTaken }
            mutex.lock()
            callers += 1
            sleepers.add(1, ordering: .sequentiallyConsistent)
            defer {
                callers -= 1
                sleepers.subtract(1, ordering: .sequentiallyConsistent)
                mutex.unlock()
            }
            if !isReserved.load(ordering: .relaxed), take() { return true }
            if isInsideLWS.load(ordering: .acquiring) { return false }
            forCallers.wait(mutex)
            isCallerWaking = false
        }
    }

    /// The same for one who must not sleep. Returns false also where others hold the loop for longer than a moment.
    func tryEnter() -> Bool { look(yields: 0) ?? false }

    /// Looks for a moment. `nil` where the loop is not free yet.
    private func look(yields: Int) -> Bool? {
        for look in 0..<Self.looks + yields where !isReserved.load(ordering: .relaxed) {
            if holder.load(ordering: .relaxed) == 0, take() { return true }
            if isInsideLWS.load(ordering: .acquiring) { return false }
            if look < Self.looks { clws_relax() } else { sched_yield() }
        }
        return nil
    }

    /// Takes the loop for its own thread, when no caller wants it or enough of them have had it.
    func enterAsServant() {
        mutex.lock()
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while callers > 0 && !isReserved.load(ordering: .relaxed) || !take() {
            isServantWaiting = true
            forServant.wait(mutex)
        }
        isServantWaiting = false
        bypasses = 0
        isReserved.store(false, ordering: .relaxed)
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        mutex.unlock()
    }

    func leave() {
        holder.store(0, ordering: .sequentiallyConsistent)
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        mutex.lock()
        if isServantWaiting {
            bypasses += 1
            if bypasses >= Self.mostBypasses { isReserved.store(true, ordering: .relaxed) }
        }
        let isReserved = isReserved.load(ordering: .relaxed)
        let wakesCaller = callers > 0 && !isCallerWaking && !isReserved
        let wakesServant = isServantWaiting && (callers == 0 || isReserved)
        if wakesCaller { isCallerWaking = true }
        if wakesServant { isServantWaiting = false }
        mutex.unlock()
        if wakesCaller { forCallers.signal() }
        if wakesServant { forServant.signal() }
    }

    /// The loop's own thread, which holds it, is about to wait inside lws. Returns false where callers want the loop, and
    /// it must not.
    func beginWaitInsideLWS() -> Bool {
        mutex.lock()
        defer { mutex.unlock() }
        guard callers == 0 else { return false }
        isInsideLWS.store(true, ordering: .releasing)
        return true
    }

    func endWaitInsideLWS() { isInsideLWS.store(false, ordering: .releasing) }

    /// Lets callers who wait have their turn. The loop's own thread holds it, before and after.
    func giveWay() {
        guard sleepers.load(ordering: .relaxed) > 0 else { return }
        leave()
        enterAsServant()
    }

    private func take() -> Bool {
        holder.compareExchange(expected: 0, desired: Self.currentThread, ordering: .sequentiallyConsistent).exchanged
    }

    private static var currentThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }
}
