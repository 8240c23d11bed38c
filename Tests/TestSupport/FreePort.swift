// A port on which nobody listens.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

package enum FreePort {
    /// A port that the system had free just now.
    ///
    /// Nothing keeps it free: whoever starts a server on it has to be ready to try again with another. The system
    /// hands ports out at random, so a test that only wants a refused connection can rely on it.
    package static func find(host: String = "127.0.0.1") throws -> Int {
        let (descriptor, port) = try Loopback.listen(on: host)
        close(descriptor)
        return port
    }
}
