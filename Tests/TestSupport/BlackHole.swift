// An address at which connecting gets no answer.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A listening socket whose queue is full: the kernel drops whoever else knocks, as a firewall would.
package final class BlackHole: Sendable {
    package let port: Int
    private let descriptors: [Int32]

    /// - Parameters:
    ///   - host: an address of loopback.
    ///   - port: 0 for any.
    package init(host: String, port: Int = 0) throws {
        let (listener, actual) = try Loopback.listen(on: host, port: port, backlog: 0)
        self.port = actual
        // A backlog of 0 holds one connection. The second and third are sent but not answered.
        let waiting = (0..<3).compactMap { _ in try? Loopback.beginConnect(host: host, port: actual) }
        descriptors = [listener] + waiting
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
