// What the system's numbers say of why something could not be done.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The system's words for some of its error numbers.
package enum SystemReason {
    package static func words(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// Where the machine has too little of something. It goes by.
    package static func shortage(_ code: Int32) -> String? {
        [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(code) ? words(code) : nil
    }

    /// Where an address, or a socket in the file system, cannot be connected to; `nil` for numbers that say something else.
    package static func unreachable(_ code: Int32) -> String? {
        let codes = [
            ECONNREFUSED, ECONNRESET, ECONNABORTED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EACCES,
            EPERM,
            EADDRNOTAVAIL, EADDRINUSE, EAFNOSUPPORT, EINVAL, EPROTOTYPE, ENOENT, ENOTDIR, ENOTSOCK,
        ]
        return codes.contains(code) ? words(code) : nil
    }
}
