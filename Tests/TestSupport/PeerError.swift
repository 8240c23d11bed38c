// What goes wrong with a test's peer.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A peer of a test could not be started, or did not do what its script expects. The text says what to do about it.
package struct PeerError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// `what` failed with `code`, by default the `errno` of the call just made.
    package init(_ what: String, errno code: Int32 = errno) {
        description = "\(what): \(String(cString: strerror(code)))"
    }
}
