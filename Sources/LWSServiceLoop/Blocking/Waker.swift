// What interrupts a thread that waits for descriptors.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A descriptor that becomes readable by a signal from any thread: an eventfd on Linux.
final class Waker: Sendable {
    let descriptor: Int32

    /// `nil` where the system has no descriptor left, and on systems that have no such thing.
    init?() {
        descriptor = clws_make_waker()
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Has the one who waits, or who waits next, come back.
    func signal() { clws_wake(descriptor) }

    /// Forgets the signals so far.
    func reset() { clws_reset_waker(descriptor) }
}
