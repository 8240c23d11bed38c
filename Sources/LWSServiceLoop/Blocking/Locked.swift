// A value behind a lock.

/// A value that several threads share, reachable only while its lock is held. Copies share it.
///
/// `Synchronization.Mutex` would do the same, but the thread sanitizer does not see its contended path on Linux
/// (that code sits in the uninstrumented runtime library) and reports every value behind it as a race. The suite
/// has to pass under that sanitizer, so this stands on `pthread_mutex_t`, which the sanitizer knows.
///
/// Public, like all that is generic here and called for each message: only what is public is inlined in other modules, which
/// would get one version for all types otherwise, and that costs more than the lock does. No product has this module.
public struct Locked<Value>: @unchecked Sendable {
    // Safe to share: the element is touched in `withLock` alone, between lock and unlock of the header; both are made once and
    // go with the last reference.
    @usableFromInline let memory: ManagedBuffer<MutexMemory, Value>

    package init(_ value: sending Value) {
        memory = LockedMemory<Value>.create(minimumCapacity: 1) { _ in MutexMemory() }
        memory.withUnsafeMutablePointers { mutex, element in
            MutexMemory.initialize(mutex)
            element.initialize(to: value)
        }
    }

    /// Runs `body` with the lock held. `body` must not block and must not take the same lock again.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Not by the buffer's closure, which throws what it likes; `memory` keeps both where they are.
        let (mutex, value) = memory.withUnsafeMutablePointers { ($0, $1) }
        MutexMemory.lock(mutex)
        defer {
            MutexMemory.unlock(mutex)
            withExtendedLifetime(memory) {}
        }
        return try body(&value.pointee)
    }
}

/// A lock and, in the same piece of memory, what is behind it.
private final class LockedMemory<Value>: ManagedBuffer<MutexMemory, Value> {
    deinit {
        withUnsafeMutablePointers { mutex, element in
            element.deinitialize(count: 1)
            MutexMemory.destroy(mutex)
        }
    }
}
