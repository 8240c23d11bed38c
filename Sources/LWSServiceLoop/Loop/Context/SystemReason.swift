// What the system says: why something could not be done, and what a directory holds.

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

// MARK: - What a directory holds

/// The names in a directory.
package enum DirectoryNames {
    /// In the system's order, with those that begin with a dot; `nil` where the directory cannot be opened, or read to its end, with
    /// the reason in `errno`.
    package static func list(_ path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
                })
            errno = 0
        }
        return errno == 0 ? names : nil
    }
}
