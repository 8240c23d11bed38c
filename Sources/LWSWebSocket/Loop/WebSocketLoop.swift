// Loop/: the loop that clients share, and the threads beside it.
//
// Holds: which loop serves a client and when its thread ends (WebSocketLoop), time limits of tasks by its timers, threads for
// what blocks, and the level of libwebsockets' log.
// Used by: Client, Reconnecting, Auth, Session, Connection, Addressing.
// Uses: Errors; LWSServiceLoop, Logging.

internal import LWSServiceLoop
public import Logging

/// One background thread with one libwebsockets context, serving any number of clients.
///
/// Clients use ``shared`` unless they are told otherwise. An application makes a loop of its own for clients that
/// should not share a thread with others. A loop costs nothing until its first client connects; its thread ends,
/// and its context is freed, about a second after its last client has ended.
///
/// libwebsockets takes as many open files as the process may have (`ulimit -n`) when a context is made. Clients that come
/// after the application has raised its limit get a thread and a context anew, while the others keep theirs. A context takes
/// 16 bytes for each of them. Where the limit is above 10,000,000, as in some containers, it is made for 1,048,576: the process's
/// soft limit is that for the moment.
public final class WebSocketLoop: Sendable {
    /// The loop of every client that is not given another.
    public static let shared = WebSocketLoop()

    /// How long the thread waits for another client before it ends.
    fileprivate static let linger = Duration.seconds(1)

    /// The loop that runs for those who come now.
    private let current = Locked<Service?>(nil)

    /// A loop that is shared by the clients which are given it.
    public init() {}

    /// Whether the loop's thread runs.
    public var isRunning: Bool { current.withLock { $0 != nil } }

    /// Whether the current thread is the one that serves the loop.
    var isHeldByCurrentThread: Bool { current.withLock { $0 }?.loop.isHeldByCurrentThread ?? false }

    /// Takes part in the loop, which is started for the first user, and anew where the process may have more open files by
    /// now than libwebsockets reckoned with; the one before then ends with its last user. The lock is held for the moment
    /// that takes, so that others who come at the same time share the one.
    func lease() throws(WebSocketError) -> LoopLease {
        do throws(LoopError) {
            let service = try current.withLock { current throws(LoopError) -> Service in
                let service: Service
                if let running = current, running.loop.isRunning, running.loop.takesEveryDescriptor {
                    service = running
                } else {
                    service = Service(loop: try ServiceLoop(.client))
                }
                current = service
                service.begin()
                return service
            }
            return LoopLease(service, of: self)
        } catch {
            throw WebSocketError(.connection, "The client could not be started: \(error)")
        }
    }

    /// The same where it runs, whatever descriptors it takes.
    func leaseIfRunning() -> LoopLease? {
        let service = current.withLock { current -> Service? in
            guard let running = current, running.loop.isRunning else { return nil }
            running.begin()
            return running
        }
        return service.map { LoopLease($0, of: self) }
    }

    /// A user is gone. May run on any thread, also on the loop's own, and needs no other: that would be one that the system
    /// may not have.
    fileprivate func release(_ service: Service) {
        guard !ForkedProcess.isCurrent else { return }
        let uses = service.state.withLock { state in
            state.users -= 1
            return state.users == 0 ? state.uses : nil
        }
        guard let uses else { return }
        let isPlanned = service.loop.perform { held in
            // As it is by now: another may have come and gone, and its plan have been made first.
            guard let uses = service.usesIfUnused else { return }
            held.resident(Linger.self)?.plan(held) { self.end(service, ifUnusedSince: uses) }
        }
        if !isPlanned { end(service, ifUnusedSince: uses) }
    }

    private func end(_ service: Service, ifUnusedSince uses: Int) {
        let isOver = current.withLock { current in
            guard service.usesIfUnused == uses else { return false }
            if current === service { current = nil }
            return true
        }
        if isOver { service.loop.stop() }
    }
}

/// A running loop and who uses it.
private final class Service: Sendable {
    struct State {
        var users = 0
        /// Counts the uses, so that an ending that was planned before a new use does not happen.
        var uses = 0
    }

    let loop: ServiceLoop
    let state = Locked(State())

    init(loop: ServiceLoop) { self.loop = loop }

    /// One more user.
    func begin() {
        state.withLock {
            $0.users += 1
            $0.uses += 1
        }
    }

    var usesIfUnused: Int? { state.withLock { $0.users == 0 ? $0.uses : nil } }
}

/// What ends a loop that is not used any more, on the loop itself.
private final class Linger: LoopResident {
    private var end: () -> Void = {}
    private lazy var timer = LoopTimer { [unowned self] _ in end() }

    init?(_ held: borrowing HeldLoop) {}

    /// Has `end` called when the time is over, in place of what was planned before.
    func plan(_ held: borrowing HeldLoop, _ end: @escaping () -> Void) {
        self.end = end
        timer.arm(after: WebSocketLoop.linger, held)
    }

    func loopEnds(_ held: borrowing HeldLoop) {
        timer.cancel(held)
        end = {}
    }
}

/// The right to use a running loop; the loop runs on while there is one.
final class LoopLease: Sendable {
    var loop: ServiceLoop { service.loop }
    private let service: Service
    private let owner: WebSocketLoop

    fileprivate init(_ service: Service, of owner: WebSocketLoop) {
        self.service = service
        self.owner = owner
    }

    deinit { owner.release(service) }
}

extension LoopOptions {
    fileprivate static var client: LoopOptions {
        LoopOptions(name: "lws-client", timeoutSeconds: LoopOptions.noTimeout, watchesSockets: true)
    }
}

// MARK: - How much of libwebsockets' own log is shown

/// libwebsockets' own log, which goes to a swift-log `Logger` labelled `lws`.
///
/// There is one for the whole process, as libwebsockets has only one. Errors and warnings are on unless you say
/// otherwise. Everything that goes wrong is on the ``WebSocketError`` as well, so an application may turn it off.
public enum LibwebsocketsLog {
    /// Chooses the lowest level that is passed on. What is below costs nothing: libwebsockets does not even format
    /// it. `.info` and `.debug` are many lines per message, with header fields and payload in them; a libwebsockets that was
    /// built as a release (CMAKE_BUILD_TYPE) has none of them.
    public static func setLevel(_ level: Logger.Level) { LWSLog.setLevel(level) }
}
