// What callers hold of a loop: the place where they and lws meet.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A running loop: one lws context, served by one dedicated thread.
///
/// Callers never touch lws. They hand work over with ``perform(_:)``; the holder of the loop runs it, in order,
/// between two passes of `lws_service`, never inside a callback of lws.
package final class ServiceLoop: Sendable {
    /// Work for the holder of the loop. It must not block.
    package typealias Work = @Sendable (borrowing HeldLoop) -> Void

    private struct Inbox {
        var work: [Work] = []
        /// A wake-up is on its way: the holder has not looked into the inbox since the last one was sent.
        var isAwake = true
        var isStopping = false
        /// Where `lws_cancel_service` goes; `nil` before the context exists and from its destruction on.
        var context: OpaquePointer?
        var thread: LoopThread?
        var holder: pthread_t?
    }

    // Safe to share: OpaquePointer and pthread_t are handles, and are used with the lock held.
    private let inbox = Locked(Inbox())

    package var id: LoopID { LoopID(self) }

    /// Starts the loop's thread and waits until its context exists.
    /// - Throws: ``LoopError`` where the system has no thread, descriptor or memory left.
    package init(_ options: LoopOptions) throws(LoopError) {
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

    /// Hands `work` to the holder of the loop. Returns false, and drops it, where the loop is ending.
    @discardableResult
    package func perform(_ work: @escaping Work) -> Bool {
        inbox.withLock { inbox in
            guard !inbox.isStopping else { return false }
            inbox.work.append(work)
            wake(&inbox)
            return true
        }
    }

    /// Whether the loop takes work.
    package var isRunning: Bool { inbox.withLock { !$0.isStopping } }

    /// Whether the current thread is the one that serves this loop. A call that would block it must fail instead.
    package var isHeldByCurrentThread: Bool {
        inbox.withLock { $0.holder.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    /// Ends the loop: work handed over before still runs, then the context is destroyed, which closes every
    /// connection on it, and the thread is joined.
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
        guard !inbox.isAwake, let context = inbox.context else { return }
        inbox.isAwake = true
        // The one function of lws that may be called from any thread, and with the lock held, so that the
        // context cannot be destroyed meanwhile. lws-service.h: "This function lets a call to lws_service()
        // waiting for a timeout immediately return. It's safe to call from any thread".
        lws_cancel_service(context)
    }

    // MARK: - The dedicated thread

    private func run(_ options: LoopOptions, started: (LoopError?) -> Void) {
        let core = LoopContext(id)
        do throws(LoopError) {
            try core.create(options)
        } catch {
            started(error)
            return
        }
        inbox.withLock {
            $0.context = core.pointer
            $0.holder = pthread_self()
        }
        started(nil)
        core.hold { held in
            while serveOnce(held) {}
        }
        inbox.withLock {
            // Also where lws has ended the loop by itself.
            $0.isStopping = true
            $0.context = nil
            $0.work = []
        }
        core.hold { _ in core.destroy() }
    }

    /// Runs the work handed over so far, then one pass of lws. Returns false when the loop is to end.
    private func serveOnce(_ held: borrowing HeldLoop) -> Bool {
        let (work, isStopping) = inbox.withLock { inbox in
            inbox.isAwake = false
            defer { inbox.work.removeAll(keepingCapacity: false) }
            return (inbox.work, inbox.isStopping)
        }
        for item in work { item(held) }
        if isStopping { return false }
        // A timeout of 0 or more waits for the next event or timer (plat/unix/unix-service.c: the argument is
        // ignored since 3.2); work that came since the inbox was emptied has signalled lws's event pipe already.
        return lws_service(held.context, 0) >= 0
    }
}
