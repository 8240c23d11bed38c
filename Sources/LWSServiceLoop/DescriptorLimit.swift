// How high a descriptor lws serves.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A context takes no descriptor from its limit on, which is the process's limit on open files (RLIMIT_NOFILE, the soft one)
/// at the time when it is made (core/context.c: lws_create_context, core-net/pollfd.c: "Socket fd %d is too high").
package enum DescriptorLimit {
    /// The limit of a context that is made now. Where there is none or one that lws calls unreasonable, it takes 2560.
    package static var current: Int {
        let limit = sysconf(Int32(_SC_OPEN_MAX))
        return limit < 0 || limit > 10_000_000 ? 2560 : limit
    }
}
