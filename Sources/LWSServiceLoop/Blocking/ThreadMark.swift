// What the current thread is in the midst of.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A mark that a thread has while it runs certain code, so that what that code calls can tell.
package final class ThreadMark: Sendable {
    /// `nil` where the process has used all keys up: then no thread is ever marked.
    private let key: pthread_key_t?

    package init() {
        var key = pthread_key_t()
        self.key = pthread_key_create(&key, nil) == 0 ? key : nil
    }

    deinit {
        if let key { pthread_key_delete(key) }
    }

    package var isSet: Bool { key.map { pthread_getspecific($0) != nil } ?? false }

    /// The thread is marked inside `body`.
    package func whileSet(_ body: () -> Void) {
        guard let key else { return body() }
        let before = pthread_getspecific(key)
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
        body()
        pthread_setspecific(key, before)
    }
}
