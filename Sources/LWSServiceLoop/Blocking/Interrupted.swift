// Calls of the system that a signal ends before they have done anything.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

package enum Interrupted {
    /// Makes the call until no signal has come in the midst of it. Twice, for one that is generic is not specialised for other
    /// modules, and each message is received by such a call.
    package static func again(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    package static func again(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
