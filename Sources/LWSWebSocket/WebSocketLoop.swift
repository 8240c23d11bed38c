// The loop that clients are served by.

internal import Dispatch
internal import LWSServiceLoop

/// One background thread with one libwebsockets context, serving any number of clients.
///
/// Clients use ``shared`` unless they are told otherwise. An application makes a loop of its own for clients that
/// should not share a thread with others. A loop costs nothing until its first client connects; its thread ends,
/// and its context is freed, about a second after its last client has ended.
public final class WebSocketLoop: Sendable {
    /// The loop of every client that is not given another.
    public static let shared = WebSocketLoop()

    /// How long the thread waits for another client before it ends.
    private static let linger = DispatchTimeInterval.seconds(1)

    private struct State {
        var loop: ServiceLoop?
        var users = 0
        /// Counts the uses, so that an ending that was planned before a new use does not happen.
        var uses = 0
    }

    private let state = Locked(State())

    /// A loop that is shared by the clients which are given it.
    public init() {}

    /// Whether the loop's thread runs.
    public var isRunning: Bool { state.withLock { $0.loop != nil } }

    /// Whether the current thread is the one that serves the loop.
    var isHeldByCurrentThread: Bool { state.withLock { $0.loop }?.isHeldByCurrentThread ?? false }

    /// Takes part in the loop, which is started for the first user. The lock is held for the moment that takes, so
    /// that others who come at the same time share the one.
    func lease() throws(WebSocketError) -> LoopLease {
        do throws(LoopError) {
            let loop = try state.withLock { state throws(LoopError) -> ServiceLoop in
                let loop =
                    if let running = state.loop, running.isRunning { running } else { try ServiceLoop(.client) }
                state.loop = loop
                state.users += 1
                state.uses += 1
                return loop
            }
            return LoopLease(loop: loop, owner: self)
        } catch {
            throw WebSocketError(.connection, "The client could not be started: \(error)")
        }
    }

    /// A user is gone. May run on the loop's own thread, which cannot end itself, so the ending is left to another.
    fileprivate func release() {
        let uses = state.withLock { state in
            state.users -= 1
            return state.users == 0 ? state.uses : nil
        }
        guard let uses else { return }
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + Self.linger) {
            self.end(ifUnusedSince: uses)
        }
    }

    private func end(ifUnusedSince uses: Int) {
        let loop = state.withLock { state -> ServiceLoop? in
            guard state.users == 0, state.uses == uses else { return nil }
            defer { state.loop = nil }
            return state.loop
        }
        loop?.stop()
    }
}

/// The right to use a running loop; the loop runs on while there is one.
final class LoopLease: Sendable {
    let loop: ServiceLoop
    private let owner: WebSocketLoop

    fileprivate init(loop: ServiceLoop, owner: WebSocketLoop) {
        self.loop = loop
        self.owner = owner
    }

    deinit { owner.release() }
}

extension LoopOptions {
    fileprivate static var client: LoopOptions {
        LoopOptions(name: "lws-client", timeoutSeconds: ClientVhost.noTimeout)
    }
}
