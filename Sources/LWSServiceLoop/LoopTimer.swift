// A timer on the loop.

import CLibWebSockets

/// A one-shot timer that calls back on the loop.
///
/// Lives on the loop, together with the object that owns it; `cancel` has to be called before it is dropped while
/// armed, because lws keeps a pointer into it until then.
package final class LoopTimer {
    private let timer: UnsafeMutablePointer<clws_timer>
    private let fired: (borrowing HeldLoop) -> Void
    private var isArmed = false

    package init(_ fired: @escaping (borrowing HeldLoop) -> Void) {
        self.fired = fired
        timer = .allocate(capacity: 1)
        timer.initialize(to: clws_timer())
    }

    deinit {
        precondition(!isArmed, "a timer was dropped while lws still had it")
        timer.deinitialize(count: 1)
        timer.deallocate()
    }

    /// Calls back once, `delay` from now (lws counts in microseconds and waits in milliseconds).
    package func arm(after delay: Duration, _ held: borrowing HeldLoop) {
        cancel(held)
        isArmed = true
        // The trampoline needs the context, which a sul does not carry: the connection-less callback below
        // goes through the timer's owner, alive because an armed timer must not be dropped.
        timer.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        context = held.context
        lws_sul_schedule(held.context, 0, &timer.pointee.sul, timerFired, delay.microseconds)
    }

    package func cancel(_ held: borrowing HeldLoop) {
        guard isArmed else { return }
        isArmed = false
        lws_sul_cancel(&timer.pointee.sul)
    }

    private var context: OpaquePointer?

    fileprivate func fire() {
        isArmed = false
        _ = LoopContext.callback(inContext: context) { held in fired(held) }
    }
}

private func timerFired(_ sul: UnsafeMutablePointer<lws_sorted_usec_list_t>?) {
    guard let sul else { return }
    let owner = UnsafeMutableRawPointer(sul).assumingMemoryBound(to: clws_timer.self).pointee.owner
    guard let owner else { return }
    Unmanaged<LoopTimer>.fromOpaque(owner).takeUnretainedValue().fire()
}

extension Duration {
    /// In whole microseconds, rounded up, for a timer must not fire early; 70,000 years at most, for lws adds the time of
    /// now (sorted-usec-list.c, lws_sul_schedule).
    package var microseconds: Int64 {
        let limit = Int64.max / 4
        let (seconds, attoseconds) = components
        guard seconds < limit / 1_000_000 else { return limit }
        guard seconds > -limit / 1_000_000 else { return -limit }
        return seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000
    }
}
