// Calls of the system that a signal ends before they have done anything.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

package enum Interrupted {
    /// Makes the call until no signal has come in the midst of it.
    package static func again<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
