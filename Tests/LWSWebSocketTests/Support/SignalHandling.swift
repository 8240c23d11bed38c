// What the process does on a signal.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

enum SignalHandling {
    /// The address of the handler, or the constant for default or ignored.
    static func ofSIGPIPE() -> UInt {
        var action = sigaction()
        sigaction(SIGPIPE, nil, &action)
        return withUnsafeBytes(of: &action) { $0.load(as: UInt.self) }
    }
}
