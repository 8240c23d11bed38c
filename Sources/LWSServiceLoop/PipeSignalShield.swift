// Keeping SIGPIPE from a thread of the application.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Blocks SIGPIPE in the current thread, and takes one that was raised meanwhile away. OpenSSL writes with `write`, which
/// raises it where the peer has gone (crypto/bio/bss_sock.c); lws and this library send with MSG_NOSIGNAL.
struct PipeSignalShield {
    private var pipe = sigset_t()
    private var before = sigset_t()
    private let wasBlocked: Bool

    init() {
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        wasBlocked = sigismember(&before, SIGPIPE) == 1
    }

    func end() {
        guard !wasBlocked else { return }
        var (pipe, before) = (pipe, before)
        #if !canImport(Darwin)
            var none = timespec()
            _ = sigtimedwait(&pipe, nil, &none)
        #endif
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
