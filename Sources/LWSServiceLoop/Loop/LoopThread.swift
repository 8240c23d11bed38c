// A thread that can be joined, which Foundation's cannot.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A POSIX thread that runs one closure. It has to be joined (or detached) exactly once.
package struct LoopThread: @unchecked Sendable {
    // Safe to share: a pthread_t is a plain handle that every pthread function accepts from any thread; it is an
    // opaque pointer on Darwin, which is all that keeps it from being Sendable.
    private let handle: pthread_t

    /// Starts the thread. Every signal is blocked in it: signals belong to the application's threads, and a
    /// SIGPIPE that OpenSSL's `write` may raise stays with this thread, where nobody has to handle it.
    /// - Throws: ``LoopError/thread(errno:)`` where the system has no thread left.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(LoopError) {
        ForkedProcess.noteThread()
        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var everything = sigset_t()
        var before = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_BLOCK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Darwin)
            var created: pthread_t?
        #else
            var created = pthread_t()
        #endif
        let status = pthread_create(&created, nil, { loopThreadMain($0) }, box.toOpaque())
        guard status == 0 else {
            box.release()
            throw .thread(errno: status)
        }
        #if canImport(Darwin)
            guard let created else { throw .thread(errno: EAGAIN) }
        #endif
        handle = created
    }

    /// Waits for the thread's end. Called by the thread itself it detaches it instead, for nobody can wait
    /// for his own end.
    package func join() {
        if pthread_equal(handle, pthread_self()) != 0 {
            pthread_detach(handle)
        } else {
            pthread_join(handle, nil)
        }
    }

    /// Lets the thread end unobserved.
    package func detach() { pthread_detach(handle) }

    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    fileprivate static func main(_ argument: UnsafeMutableRawPointer) {
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        clws_name_thread(body.name)
        body.run()
    }
}

#if canImport(Darwin)
    private func loopThreadMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        LoopThread.main(argument)
        return nil
    }
#else
    private func loopThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        LoopThread.main(argument)
        return nil
    }
#endif
