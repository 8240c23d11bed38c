// Why a loop could not be started.

/// Why a service loop could not be started.
package enum LoopError: Error, CustomStringConvertible {
    /// The system refused another thread.
    case thread(errno: Int32)
    /// `lws_create_context` gave nothing, or not all that a loop needs: out of memory or of descriptors. Its log lines say
    /// more. The number is the system's last.
    case context(errno: Int32)

    package var description: String {
        switch self {
        case .thread(let errno): "no thread could be started: \(SystemReason.words(errno))"
        case .context(let errno):
            "libwebsockets could not create its context"
                + (SystemReason.shortage(errno).map { ": \($0)" } ?? " (out of memory or file descriptors)")
        }
    }
}
