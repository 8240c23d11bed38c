// How high a descriptor lws serves.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A context takes no descriptor from its limit on, which is the process's limit on open files (RLIMIT_NOFILE, the soft one)
/// at the time when it is made (core/context.c: lws_create_context, core-net/pollfd.c: "Socket fd %d is too high"). It has
/// two tables with a place of 8 bytes for each.
package enum DescriptorLimit {
    /// A higher one lws takes for a mistake, and 2560 in its place. Containers have had 1,073,741,816, and there may be none.
    private static let highestOfLWS = 10_000_000
    /// What a context is made with then: the most that Linux gives a process unless it is told otherwise (fs.nr_open).
    private static let substitute = 1_048_576

    /// The limit of a context that is made now.
    package static var current: Int {
        let limit = limits.map { Int(clamping: $0.rlim_cur) } ?? .max
        return limit > highestOfLWS ? substitute : limit
    }

    private static var limits: rlimit? {
        var limits = rlimit()
        return clws_get_file_limit(&limits) ? limits : nil
    }

    /// Runs `body`, which makes a context, with a limit that lws believes. Where the process has a higher one it has the
    /// substitute for that moment: whoever opens a file then has to be content with fewer.
    package static func whileKnown(highest: Int = highestOfLWS, substitute: Int = substitute, _ body: () -> Void) {
        guard var limits = limits, limits.rlim_cur > highest else { return body() }
        let own = limits.rlim_cur
        limits.rlim_cur = rlim_t(substitute)
        clws_set_file_limit(&limits)
        body()
        limits.rlim_cur = own
        clws_set_file_limit(&limits)
    }
}
