// Why a loop could not be started.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Why a service loop could not be started.
package enum LoopError: Error, CustomStringConvertible {
    /// The system refused another thread.
    case thread(errno: Int32)
    /// `lws_create_context` gave nothing: out of memory or of descriptors. Its log lines say more.
    case context

    package var description: String {
        switch self {
        case .thread(let errno): "no thread could be started: \(String(cString: strerror(errno)))"
        case .context: "libwebsockets could not create its context (out of memory or file descriptors)"
        }
    }
}
