// Whether this process is a copy, by fork, of the one whose threads serve the loops.

import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a child of `fork` has of this library: all its objects, none of its threads, and each lock as it was at that
/// moment. Whatever waits there would wait for ever, so that this is asked before any lock is taken.
package enum ForkedProcess {
    private static let copied = Atomic<Bool>(false)
    private static let isRegistered = Atomic<Bool>(false)

    /// A thread is about to be started. A child of a process that had none may start them.
    static func noteThread() {
        guard !isRegistered.exchange(true, ordering: .relaxed) else { return }
        // Cheaper to ask than the process's number, which is a system call each time.
        pthread_atfork(nil, nil) { ForkedProcess.copied.store(true, ordering: .relaxed) }
    }

    /// Whether threads were started before the fork, in another process. Takes no lock.
    package static var isCurrent: Bool { copied.load(ordering: .relaxed) }

    /// Runs code of the application's on a thread of this library, or in the midst of what lws does. A child that is forked in
    /// there may start a program, or end. Where it comes back it has nothing to go on with: its connections are its parent's, and
    /// what it would wait for are threads that it does not have. So it ends here, with the code 70 (EX_SOFTWARE).
    package static func callOut<Result>(_ body: () -> Result) -> Result {
        let wasCopy = isCurrent
        let result = body()
        guard isCurrent, !wasCopy else { return result }
        // As little as possible: whatever was locked is so for ever.
        signal(SIGPIPE, SIG_IGN)
        var status = stat()
        // In a daemon the number may be that of a connection.
        if fstat(STDERR_FILENO, &status) == 0, status.st_mode & S_IFMT != S_IFSOCK {
            let words: StaticString =
                "A process that is forked inside a handler of LWSWebSocket has to start a program there (exec), or to end.\n"
            _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
        }
        _exit(70)
    }
}
