// A server that nobody is at home in.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A listening socket that is not accepted from: the system connects whoever comes, and what they send is never read.
package final class UnattendedServer: Sendable {
    package let port: Int
    private let listener: Int32

    /// - Parameter room: how many connections the system makes at the most; 4,096 are what Linux allows by default.
    package init(room: Int) throws { (listener, port) = try Loopback.listen(on: "127.0.0.1", backlog: Int32(room)) }

    deinit { close(listener) }

    package func url(_ path: String = "/") -> String { "ws://127.0.0.1:\(port)\(path)" }
}
