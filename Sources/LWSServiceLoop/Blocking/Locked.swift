// A value behind a lock.

/// A value that several threads share, reachable only while its lock is held.
///
/// `Synchronization.Mutex` would do the same, but the thread sanitizer does not see its contended path on Linux
/// (that code sits in the uninstrumented runtime library) and reports every value behind it as a race. The suite
/// has to pass under that sanitizer, so this stands on `pthread_mutex_t`, which the sanitizer knows.
///
/// Public, like all that is generic here and called for each message: only what is public is inlined in other modules, which
/// would get one version for all types otherwise, and that costs more than the lock does. No product has this module.
public final class Locked<Value>: @unchecked Sendable {
    // Safe to share: what `value` points to is touched in `withLock` alone, between lock and unlock of `mutex`; both are
    // made once and go with the last reference.
    @usableFromInline let mutex = PosixMutex()
    // Not a stored property: Swift would check at run time that no two accesses to it overlap, as the lock sees to.
    @usableFromInline let value: UnsafeMutablePointer<Value>

    package init(_ value: sending Value) {
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Runs `body` with the lock held. `body` must not block and must not take the same lock again.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body(&value.pointee)
    }
}
