// What a loop is started with, and why it could not be.

import CLibWebSockets

/// What a loop's context is made for.
package struct LoopOptions: Sendable {
    /// Sets up OpenSSL for the context (about 1.2 MB).
    package var usesTLS: Bool
    /// The thread's name, as `top -H` and a debugger show it; 15 bytes at most on Linux.
    package var name: String

    /// Seconds that lws gives the steps of a handshake and of closing TCP; `nil`: its default of 5. One value for
    /// the whole context in 4.1 (core/context.c), one for each vhost in later releases.
    package var timeoutSeconds: UInt32?
    /// Ten years, for 0 would mean lws's default.
    package static let noTimeout: UInt32 = 10 * 365 * 24 * 3600

    /// The loop waits for the sockets of its connections by itself where the system can, and callers may hold it. Those who
    /// make connections on it have to tell it of them (``HeldLoop/watch(_:)``).
    package var watchesSockets: Bool

    package init(name: String, usesTLS: Bool = false, timeoutSeconds: UInt32? = nil, watchesSockets: Bool = false) {
        self.watchesSockets = watchesSockets && clws_can_watch
        self.name = name
        self.usesTLS = usesTLS
        self.timeoutSeconds = timeoutSeconds
    }
}

/// Why a service loop could not be started.
package enum LoopError: Error, CustomStringConvertible {
    /// The system refused another thread.
    case thread(errno: Int32)
    /// `lws_create_context` gave nothing, or not all that a loop needs: out of memory or of descriptors. Its log lines say
    /// more. The number is the system's last.
    case context(errno: Int32)
    /// The library that is loaded cannot be used, for this reason.
    case library(String)

    package var description: String {
        switch self {
        case .thread(let errno): "no thread could be started: \(SystemReason.words(errno))"
        case .context(let errno):
            "libwebsockets could not create its context"
                + (SystemReason.shortage(errno).map { ": \($0)" } ?? " (out of memory or file descriptors)")
        case .library(let objection): objection
        }
    }
}
