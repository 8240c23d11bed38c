// What brings a session to its end, Ctrl-C and its like among it.

import LWSServiceLoop
import LWSWebSocket

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Takes the signals that ask a process to end, and sees to it that it does within a second.
struct SignalWatch: Sendable {
    /// How long the peer has to answer the close frame, and the process to end.
    static let patience = Duration.milliseconds(600)
    private static let limit = Duration.milliseconds(800)

    private let signals: [Int32]

    /// To be made before the first other thread starts, so that none is interrupted by them.
    /// - Parameter isInteractive: the size of the terminal matters as well.
    init(isInteractive: Bool = false) {
        signals = [SIGINT, SIGTERM, SIGHUP] + (isInteractive ? [SIGWINCH] : [])
        var set = Self.set(of: signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// What a user means who presses Ctrl-C where the terminal makes no signal of it.
    static func interrupt() { kill(getpid(), SIGINT) }

    /// Takes the signals on a thread of its own.
    /// - Parameters:
    ///   - resized: the terminal has another size.
    ///   - interrupted: the process is to end. Closes the connection, within ``patience``.
    ///   - leave: ends the process, where it has not ended by itself soon after that.
    func start(
        resized: @escaping @Sendable () -> Void = {}, interrupted: @escaping @Sendable () -> Void,
        leave: @escaping @Sendable () -> Never
    ) throws(Failure) {
        do throws(LoopError) {
            try LoopThread(name: "lwscat-signals") { [signals] in
                var set = Self.set(of: signals)
                var received: Int32 = 0
                while true {
                    guard sigwait(&set, &received) == 0 else { continue }
                    guard received == SIGWINCH else { break }
                    resized()
                }
                let deadline = Deadline(after: Self.limit)
                interrupted()
                // The main thread may be held up by an output that nobody takes.
                _ = MonotonicSemaphore().wait(until: deadline)
                leave()
            }.detach()
        } catch {
            throw Failure(.cannotConnect, error.description)
        }
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }
}

// MARK: - What brings a session to its end

/// Something after which a session does not go on as before.
enum SessionEnd: Sendable {
    /// Nothing more comes from the input.
    case inputOver
    /// As many messages as asked for have been received.
    case receivedEnough
    /// Something in the input cannot be sent.
    case inputFailed(String)
    /// A call failed, mostly because the connection has ended.
    case failed(WebSocketError)
    /// Nobody reads the output any more.
    case outputGone
    /// The user closes.
    case closed
    /// A signal asks the process to end; the connection has been closed.
    case interrupted
}

/// The ends that threads report, in the order of their reports.
final class SessionEnds: Sendable {
    private let reports = Locked<[SessionEnd]>([])
    private let news = MonotonicSemaphore()

    func report(_ end: SessionEnd) {
        reports.withLock { $0.append(end) }
        news.signal()
    }

    /// The next one. Blocks; `nil`: there was none until `deadline`.
    func next(until deadline: Deadline = .never) -> SessionEnd? {
        guard news.wait(until: deadline) else { return nil }
        return reports.withLock { $0.removeFirst() }
    }
}
