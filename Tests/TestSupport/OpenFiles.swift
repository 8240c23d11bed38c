// A process that may open many files.

import Foundation

package enum OpenFiles {
    /// Runs `body` while the process may have so many open files and some more, or as many as the system lets it. It is told
    /// how many of the wanted ones that leaves.
    package static func withRoom(for wanted: Int, _ body: (Int) async throws -> Void) async throws {
        #if canImport(Darwin)
            let kind = RLIMIT_NOFILE
        #else
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        var before = rlimit()
        guard getrlimit(kind, &before) == 0 else { throw PeerError("getrlimit") }
        // Not more than that, for with too many libwebsockets reckons with 2,560 (`DescriptorLimit`).
        let most = min(before.rlim_max, rlim_t(wanted + 1000))
        var now = rlimit(rlim_cur: most, rlim_max: before.rlim_max)
        guard setrlimit(kind, &now) == 0 else { throw PeerError("setrlimit") }
        defer { setrlimit(kind, &before) }
        try await body(min(wanted, Int(most) - 500))
    }
}
