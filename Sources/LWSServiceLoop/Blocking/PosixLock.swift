// The system's lock and its condition, which the thread sanitizer knows.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Memory for a `pthread_mutex_t`, for one who sees to it that the mutex stays where it is, and that nobody uses it any more when
/// it goes.
@usableFromInline
struct MutexMemory {
    private var mutex = pthread_mutex_t()

    static func initialize(_ memory: UnsafeMutablePointer<Self>) {
        let status = pthread_mutex_init(memory.mutex, nil)
        precondition(status == 0, "pthread_mutex_init failed: \(status)")
    }

    static func destroy(_ memory: UnsafeMutablePointer<Self>) { pthread_mutex_destroy(memory.mutex) }

    @usableFromInline static func lock(_ memory: UnsafeMutablePointer<Self>) { pthread_mutex_lock(memory.mutex) }
    @usableFromInline static func unlock(_ memory: UnsafeMutablePointer<Self>) { pthread_mutex_unlock(memory.mutex) }
}

extension UnsafeMutablePointer<MutexMemory> {
    /// Its one variable is at its beginning.
    fileprivate var mutex: UnsafeMutablePointer<pthread_mutex_t> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: pthread_mutex_t.self)
    }
}

/// A mutex in memory of its own. Whoever owns it sees to it that nobody uses it any more when it goes.
struct PosixMutex: ~Copyable {
    fileprivate let memory: UnsafeMutablePointer<MutexMemory>

    init() {
        memory = .allocate(capacity: 1)
        memory.initialize(to: MutexMemory())
        MutexMemory.initialize(memory)
    }

    deinit {
        MutexMemory.destroy(memory)
        memory.deallocate()
    }

    func lock() { MutexMemory.lock(memory) }
    func unlock() { MutexMemory.unlock(memory) }
}

/// A `pthread_cond_t` on the monotonic clock, likewise.
struct PosixCondition: ~Copyable {
    private let pointer: UnsafeMutablePointer<pthread_cond_t>

    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: pthread_cond_t())
        #if canImport(Darwin)
            let status = pthread_cond_init(pointer, nil)
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            let status = pthread_cond_init(pointer, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
        precondition(status == 0, "pthread_cond_init failed: \(status)")
    }

    deinit {
        pthread_cond_destroy(pointer)
        pointer.deallocate()
    }

    func signal() { pthread_cond_signal(pointer) }

    /// One wait with the mutex released, which may end early (a spurious wake-up); the caller looks again.
    func wait(_ mutex: borrowing PosixMutex) { pthread_cond_wait(pointer, mutex.memory.mutex) }

    /// The same, for at most `duration`.
    func wait(_ mutex: borrowing PosixMutex, atMost duration: Duration) {
        #if canImport(Darwin)
            var relative = timespec(duration)
            pthread_cond_timedwait_relative_np(pointer, mutex.memory.mutex, &relative)
        #else
            var absolute = timespec()
            clock_gettime(CLOCK_MONOTONIC, &absolute)
            let wait = timespec(duration)
            absolute.tv_sec += wait.tv_sec
            absolute.tv_nsec += wait.tv_nsec
            if absolute.tv_nsec >= 1_000_000_000 {
                absolute.tv_sec += 1
                absolute.tv_nsec -= 1_000_000_000
            }
            pthread_cond_timedwait(pointer, mutex.memory.mutex, &absolute)
        #endif
    }
}

extension timespec {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }
}
