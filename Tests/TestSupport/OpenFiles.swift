// A process that may open many files.

import Foundation

package enum OpenFiles {
    /// Runs `body` while the process may have so many open files and some more, or as many as the system lets it. It is told
    /// how many of the wanted ones that leaves.
    package static func withRoom(for wanted: Int, _ body: (Int) async throws -> Void) async throws {
        // Not more than that, for with too many libwebsockets reckons with 2,560 (`DescriptorLimit`).
        let (most, putBack) = try setLimit(wanted + 1000)
        defer { putBack() }
        try await body(min(wanted, most - 500))
    }

    /// Sets how many descriptors the process may have, which the system bounds. Returns how many that is, and what puts the
    /// limit back.
    static func setLimit(_ count: Int) throws -> (count: Int, putBack: () -> Void) {
        #if canImport(Darwin)
            let kind = RLIMIT_NOFILE
        #else
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        var before = rlimit()
        guard getrlimit(kind, &before) == 0 else { throw PeerError("getrlimit") }
        var now = before
        now.rlim_cur = min(before.rlim_max, rlim_t(count))
        guard setrlimit(kind, &now) == 0 else { throw PeerError("setrlimit") }
        return (
            Int(now.rlim_cur),
            { [before] in
                var before = before
                setrlimit(kind, &before)
            }
        )
    }
}
