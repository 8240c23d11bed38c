// A port on which nobody listens.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

package enum FreePort {
    /// Below those that Linux and macOS hand out to whoever asks for any (32,768 and 49,152 on).
    private static let choice = 16_384..<32_768

    /// A port that was free just now.
    ///
    /// Nothing keeps it free: whoever starts a server on it has to be ready to try again with another. But none of the
    /// tests' servers is given it by the system, so a test that only wants a refused connection can rely on it.
    package static func find(host: String = "127.0.0.1") throws -> Int {
        for _ in 0..<100 {
            guard let (descriptor, port) = try? Loopback.listen(on: host, port: .random(in: choice)) else { continue }
            close(descriptor)
            return port
        }
        throw PeerError("no port is free on \(host)")
    }
}
