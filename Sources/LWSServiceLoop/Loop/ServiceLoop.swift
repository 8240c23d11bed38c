// Loop/: the loop that drives libwebsockets.
//
// Holds: its thread, who holds it (HeldLoop is the proof, LoopGate the order), timers, who hears of libwebsockets' passes, and the
// work that other threads hand over. Context/ has libwebsockets' context, Waiting/ the sockets that the loop waits for by itself. Whoever is not on the loop
// uses ServiceLoop alone.
// Used by: Suspending.
// Uses: Blocking; CLibWebSockets, Logging.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A running loop: one lws context, and one thread that serves it when nobody else does.
///
/// Work that can wait a moment is handed over (``perform(_:)``), and runs on the loop's thread, in order, between two passes
/// of lws. What a blocked caller waits for they may do themselves: anybody can hold the loop (``hold(_:)``), and wait for
/// one open connection in its place (``wait(for:until:serving:isNeeded:)``). The loop's thread waits without holding it.
/// Where the waiting is lws's, on systems without epoll and for those who do not ask for more
/// (``LoopOptions/watchesSockets``), that thread waits inside lws, and all work is handed over.
public final class ServiceLoop: Sendable {
    /// Work for the holder of the loop. It must not block.
    package typealias Work = @Sendable (borrowing HeldLoop) -> Void

    private struct Inbox {
        var work: [Work] = []
        /// The loop's thread will look into the inbox before it waits, or has been told to.
        var isAwake = true
        var isStopping = false
        /// Where its wait is interrupted.
        var waits = Waiting.nowhere
        var thread: LoopThread?
    }

    private enum Waiting: @unchecked Sendable {
        // Safe to share: a context is a handle, and used with the inbox's lock held.
        /// There is no context yet, or no longer.
        case nowhere
        case insideLWS(OpaquePointer)
        case forSockets(Waker)
    }

    private let inbox = Locked(Inbox())
    private let gate = LoopGate()
    // Safe to share: only who holds the gate looks into it, but for the wait of the loop's own thread.
    nonisolated(unsafe) private let core = LoopContext()
    private let watchesSockets: Bool

    package var id: LoopID { core.id }

    private let descriptorLimit = DescriptorLimit.current

    /// Whether lws serves whatever descriptor a socket can get: the process's limit on open files has not been raised since
    /// the loop was started.
    package var takesEveryDescriptor: Bool { DescriptorLimit.current <= descriptorLimit }

    /// Starts the loop's thread and waits until its context exists.
    /// - Throws: ``LoopError`` where the system has no thread, descriptor or memory left.
    package init(_ options: LoopOptions) throws(LoopError) {
        watchesSockets = options.watchesSockets
        let started = MonotonicSemaphore()
        let failure = Locked<LoopError?>(nil)
        let thread = try LoopThread(name: options.name) { [self] in
            run(options) { error in
                failure.withLock { $0 = error }
                started.signal()
            }
        }
        _ = started.wait(until: .never)
        if let error = failure.withLock({ $0 }) {
            thread.join()
            throw error
        }
        inbox.withLock { $0.thread = thread }
    }

    /// Hands `work` to the loop's thread. Returns false, and drops it, where the loop is ending.
    @discardableResult
    package func perform(_ work: @escaping Work) -> Bool {
        inbox.withLock { inbox in
            guard !inbox.isStopping else { return false }
            inbox.work.append(work)
            wake(&inbox)
            return true
        }
    }

    /// Holds the loop for as long as `body` runs, which must not block. Blocks only while others do the same.
    /// - Returns: `nil` where the waiting is lws's, or the loop has ended; then the work has to be handed over. So it is on the
    ///   thread that holds the loop already.
    @inlinable
    public func hold<Result>(_ body: (borrowing HeldLoop) -> Result) -> Result? {
        guard let core = beginTurn() else { return nil }
        defer { endTurn() }
        return body(HeldLoop(.passUnretained(core)))
    }

    /// The same without ever blocking, for suspended callers, whose thread is not theirs to block: `nil` also where others hold
    /// the loop.
    @inlinable
    public func tryHold<Result>(_ body: (borrowing HeldLoop) -> Result) -> Result? {
        guard let core = beginTurn(mayBlock: false) else { return nil }
        defer { endTurn() }
        return body(HeldLoop(.passUnretained(core)))
    }

    /// A caller takes the loop, if that can be.
    @usableFromInline
    func beginTurn(mayBlock: Bool = true) -> LoopContext? {
        guard watchesSockets, !gate.isHeldByCurrentThread else { return nil }
        if mayBlock { gate.enter() } else if !gate.tryEnter() { return nil }
        guard core.isAlive else {
            gate.leave()
            return nil
        }
        core.beginHolding()
        return core
    }

    @usableFromInline
    func endTurn() {
        core.endHolding()
        core.hastenWait()
        gate.leave()
    }

    /// Whether the loop takes work.
    package var isRunning: Bool { inbox.withLock { !$0.isStopping } }

    /// Whether the current thread holds this loop. A call that would block it must fail instead.
    package var isHeldByCurrentThread: Bool { gate.isHeldByCurrentThread }

    /// Ends the loop: work handed over before still runs, then the context is destroyed, which closes every
    /// connection on it, and the thread is joined. Called on that thread it returns before, and the thread ends by itself.
    package func stop() {
        let thread = inbox.withLock { inbox in
            inbox.isStopping = true
            wake(&inbox)
            defer { inbox.thread = nil }
            return inbox.thread
        }
        thread?.join()
    }

    private func wake(_ inbox: inout Inbox) {
        guard !inbox.isAwake else { return }
        inbox.isAwake = true
        switch inbox.waits {
        case .nowhere: break
        case .forSockets(let waker): waker.signal()
        // The one function of lws that may be called from any thread, and with the lock held, so that the context cannot
        // be destroyed meanwhile. lws-service.h: "This function lets a call to lws_service() waiting for a timeout
        // immediately return. It's safe to call from any thread".
        case .insideLWS(let context): lws_cancel_service(context)
        }
    }

    // MARK: - The loop's thread

    private func run(_ options: LoopOptions, started: (LoopError?) -> Void) {
        do throws(LoopError) {
            try core.create(options)
        } catch {
            started(error)
            return
        }
        started(nil)
        while turn() {}
        let late = inbox.withLock { inbox in
            // Also where lws has ended the loop by itself.
            inbox.isStopping = true
            inbox.waits = .nowhere
            defer { inbox.work = [] }
            return inbox.work
        }
        // With the lock released: what the work holds may come back here when it goes.
        withExtendedLifetime(late) {}
        gate.enterAsServant()
        core.hold { held in core.destroy(held) }
        gate.leave()
    }

    /// What the loop's thread does next.
    private enum Step {
        case goOn
        /// Waits for sockets, with the loop free for others.
        case wait(milliseconds: Int32, SocketSet)
        case end
    }

    /// Does what there is to do, and waits once. Returns false when the loop is to end.
    private func turn() -> Bool {
        gate.enterAsServant()
        let step = core.hold { held in work(held) }
        gate.leave()
        guard case .wait(let milliseconds, let sockets) = step else {
            if case .end = step { return false }
            return true
        }
        let count = sockets.wait(milliseconds: milliseconds)
        gate.enterAsServant()
        core.waitsUntil = nil
        for event in sockets.sort(count) {
            core.hold { held in held.serve(event, of: sockets) }
            gate.giveWay()
        }
        gate.leave()
        return true
    }

    private func work(_ held: borrowing HeldLoop) -> Step {
        while true {
            let (work, isStopping) = inbox.withLock { inbox in
                inbox.isAwake = true
                defer { inbox.work.removeAll(keepingCapacity: false) }
                return (inbox.work, inbox.isStopping)
            }
            if work.isEmpty && isStopping { return .end }
            if work.isEmpty { break }
            for item in work { item(held) }
        }
        core.timers.fireDue(held)
        guard let sockets = core.sockets else { return waitInsideLWS(held) }
        guard !held.hasForcedWork, !core.isPassDue else { return held.pass() ? .goOn : .end }
        if let socket = sockets.nextMarked() {
            held.advance(socket)
            // It may be marked again, and again.
            return .wait(milliseconds: 0, sockets)
        }
        guard mayWait(.forSockets(sockets.waker)) else { return .goOn }
        return .wait(milliseconds: core.planWait(), sockets)
    }

    private func waitInsideLWS(_ held: borrowing HeldLoop) -> Step {
        guard mayWait(.insideLWS(held.context)) else { return .goOn }
        core.setAlarm()
        // A timeout of 0 or more waits for the next event or timer (plat/unix/unix-service.c: the argument is
        // ignored since 3.2); work that has come since has signalled lws's event pipe already.
        return held.runLWS(timeout: 0) ? .goOn : .end
    }

    /// Nothing is left to do before a wait, which work that comes now will interrupt there.
    private func mayWait(_ place: Waiting) -> Bool {
        inbox.withLock { inbox in
            guard inbox.work.isEmpty, !inbox.isStopping else { return false }
            inbox.isAwake = false
            inbox.waits = place
            return true
        }
    }
}
