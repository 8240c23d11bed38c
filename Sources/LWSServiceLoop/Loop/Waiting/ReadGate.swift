// Whether lws reads from a connection, and how it is kept from reading past a ping.

import CLibWebSockets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The one place that pauses reading from a WebSocket connection and asks for its turn to write. Lives on the loop.
///
/// It also has lws answer every ping. lws keeps one ping until its pong is sent, and drops those that arrive meanwhile
/// (`lws_ws_client_rx_sm` and `lws_ws_rx_sm`: "DROP PING since one pending"); no callback tells of a ping. But for the pong
/// lws waits for the socket to take data, and asks on the spot, by LWS_CALLBACK_GET_THREAD_ID, which thread it was that
/// changed what it waits for (core-net/pollfd.c: `_lws_change_pollfd`). Where neither this side had asked for that nor
/// calls lws, it was a ping. Reading is paused then, which lws looks at before each byte (`lws_ws_handshake_client`,
/// `lws_interpret_incoming_packet`), until the pong has left.
///
/// Where lws does not look in between (``stopsWithinRead``), the pong is sent on the spot: ``sendPong(_:_:)``.
///
/// Two pings that arrive together while data waits for the socket are not told apart this way; RFC 6455, section 5.5.3,
/// lets one pong answer both.
public final class ReadGate {
    /// Whether a client of this release of lws stops in the midst of what it has read at once when its reading is paused.
    package static let stopsWithinRead = clws_client_stops_within_read()

    /// What lws is told to be the thread that asks. It is always the same: the one that holds the loop.
    package static let threadID = clws_thread_id

    /// Reading is paused until the application takes more.
    package var isPaused: Bool { paused != nil }
    /// Reading is paused, for whatever reason.
    package var isHeldBack: Bool { isPaused || isAnsweringPing }
    /// Reading is paused until a pong has left.
    package private(set) var isAnsweringPing = false
    /// The callback for writing was asked for, and has not come yet.
    private var isWriteAwaited = false
    /// Turns of the loop since then.
    private var turns = 0
    /// How many calls of this side are under way, inside which a change is this side's.
    private var calls = 0
    /// lws is made to send a pong, inside its parser.
    var isSendingPong = false
    /// lws parses what it has read, and was made to send a pong meanwhile.
    var parsing: Parsing?
    /// How often lws has changed what it waits for, while that is of interest.
    var changes: Int?
    private var timer: LoopTimer?
    /// The socket, where the loop waits for it by itself: it has to know what lws wants of it.
    private var socket: WatchedSocket?
    /// The same, while the connection is open.
    package private(set) var watched: WatchedSocket?
    /// The connection, while its reading is paused, and its socket.
    private var paused: (connection: OpaquePointer, socket: Int32)?

    package init() {}

    /// The connection is open.
    package func open(_ socket: WatchedSocket, _ held: borrowing HeldLoop) {
        self.socket = socket
        watched = socket
        socket.gate = self
        socket.open(held)
        socket.setWantsToRead(!isPaused && !isAnsweringPing, held)
    }

    /// The connection is about to end: lws alone knows how it goes on.
    package func end(_ connection: OpaquePointer?, _ held: borrowing HeldLoop) {
        guard let watched else { return }
        self.watched = nil
        watched.end(held)
        if isAnsweringPing, let connection { arm(connection, held) }
    }

    /// Whether the callback for writing will come.
    package var awaitsWritable: Bool { isWriteAwaited || isAnsweringPing }

    /// Runs what handles a callback of lws, or calls lws.
    @inlinable
    public func whileHandling<Result>(_ body: () -> Result) -> Result {
        callBegins()
        defer { callEnds() }
        return body()
    }

    @usableFromInline func callBegins() { calls += 1 }
    @usableFromInline func callEnds() { calls -= 1 }

    package func pause(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        paused = (connection, lws_get_socket_fd(connection))
        noteHangups(held)
        apply(connection, held)
    }

    package func resume(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        forgetPause(held)
        arm(connection, held)
    }

    /// Has lws read no more of a connection of which it has refused a frame. Before it sends its close frame it would by itself,
    /// and parse what it has buffered once more, from the beginning (roles/ws/ops-ws.c: rops_handle_POLLIN_ws).
    package func stopReading(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        pause(connection, held)
        control(connection, Self.refusal, allows: false)
    }

    /// The close frame has left.
    package func goOnReading(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        control(connection, Self.refusal, allows: true)
        if isPaused { resume(connection, held) }
    }

    /// A reason beside that which `lws_rx_flow_control(wsi, 1)` takes back: the bits 0 to 5 are for whoever calls (lws-misc.h).
    private static let refusal = 1 << 1

    /// Where the loop watches the socket by itself, it notices that anyway.
    private func noteHangups(_ held: borrowing HeldLoop) {
        if socket == nil, let paused { held.core.pausedConnections.add(self, paused.socket) }
    }

    private func forgetPause(_ held: borrowing HeldLoop) {
        if let paused { held.core.pausedConnections.remove(self, paused.socket) }
        paused = nil
    }

    /// The peer has reset the connection, and lws is about to see that. No pong leaves any more: what it has kept from being
    /// read is to be read now. Otherwise lws ends the connection without that, or from 4.3 on waits for ever.
    func readOn(_ held: borrowing HeldLoop) {
        guard isAnsweringPing, let watched else { return }
        isAnsweringPing = false
        apply(watched.connection, held)
    }

    /// lws has seen it. Ends the connection where the application has its reading paused, as releases before 4.3 do by themselves
    /// (``PausedConnections``). Those after it give it time, and whenever they see it again (core-net/service.c:
    /// `lws_service_fd_tsi`).
    func hungUp(_ held: borrowing HeldLoop) {
        guard let paused else { return }
        held.noteWork()
        lws_set_timeout(paused.connection, PENDING_TIMEOUT_USER_OK, clws_kill_async)
    }

    /// The connection is over.
    package func stop(_ held: borrowing HeldLoop) {
        forgetPause(held)
        (socket, watched, parsing) = (nil, nil, nil)
        timer?.cancel(held)
        timer = nil
    }

    /// Has lws call back when the connection can be written to.
    package func awaitWritable(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        isWriteAwaited = true
        _ = whileHandling { lws_callback_on_writable(connection) }
        // lws does not ask by LWS_CALLBACK_GET_THREAD_ID where it waits for that already, or deals with it.
        watched?.setWantsToWrite(true, held)
    }

    /// That callback has come; a pong that had to leave has left before it (`rops_handle_POLLOUT_ws`). Returns false where lws
    /// was given more in the midst of that turn, and has yet to pass it on: the callback comes again. Or where the turn is a
    /// pong's alone.
    package func becameWritable(_ connection: OpaquePointer, _ held: borrowing HeldLoop) -> Bool {
        guard !isSendingPong else { return false }
        isWriteAwaited = false
        watched?.setWantsToWrite(false, held)
        if isAnsweringPing {
            isAnsweringPing = false
            arm(connection, held)
        }
        guard lws_partial_buffered(connection) == 0 else {
            awaitWritable(connection, held)
            return false
        }
        return true
    }

    /// LWS_CALLBACK_GET_THREAD_ID has come: lws changes what it waits for on the connection.
    package func waitChanged(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        guard !isSendingPong else { return }
        if let changes { return self.changes = changes + 1 }
        // It may be that it wants to write no longer; then a callback for writing comes next, or in vain. (What looks like a ping
        // then has lws want it again behind this side's back, until the reading that is paused for it goes on.)
        watched?.setWantsToWrite(true, held)
        guard isPing(connection), !isAnsweringPing, !isPaused else { return }
        // Where the pong would have to wait for the peer, which may itself wait until this side has read, reading goes on.
        guard SocketPoll.takesData(lws_get_socket_fd(connection)) else { return }
        isAnsweringPing = true
        turns = 0
        apply(connection, held)
        awaitWritable(connection, held)
        arm(connection, after: watched == nil ? Self.nextTurn : Self.patience, held)
    }

    /// LWS_CALLBACK_GET_THREAD_ID has come for a ping, as far as it is known here.
    func isPing(_ connection: OpaquePointer) -> Bool {
        // With a payload for a close frame it is that which waits.
        calls == 0 && !isWriteAwaited && lws_get_close_length(connection) == 0
    }

    /// Reads again from lws's next turn on. To what is buffered lws comes back when the connection can be written to
    /// (core-net/wsi.c: `__lws_rx_flow_control`); from inside that callback it would go on to read while it waits for the
    /// next, and a ping would change nothing.
    private func arm(_ connection: OpaquePointer, after delay: Duration = nextTurn, _ held: borrowing HeldLoop) {
        let timer = timer ?? LoopTimer { [unowned self] held in turn(connection, held) }
        self.timer = timer
        timer.arm(after: delay, held)
    }

    /// With nothing to wait for, a timer that is armed within a microsecond of the turn's begin falls due in that turn.
    private static let nextTurn = Duration.microseconds(1)
    /// Turns that it takes until a pong has left, and the callback for writing has come, where lws waits for the socket.
    private static let mostTurns = 3
    /// When to look, where the loop waits for it by itself, whether the pong has to wait for the peer. A socket that takes data
    /// may take none a moment later, with nothing written in between: Linux counts what it keeps otherwise once the peer's
    /// window is shut.
    private static let patience = Duration.milliseconds(50)

    private func turn(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        if isAnsweringPing {
            if watched == nil {
                turns += 1
                guard turns > Self.mostTurns else { return arm(connection, held) }
                // It was no ping, but a close frame without a payload: after that lws calls for nothing else.
            } else if SocketPoll.takesData(lws_get_socket_fd(connection)) {
                // The callback for writing comes, whoever serves the socket.
                return arm(connection, after: Self.patience, held)
            }
            isAnsweringPing = false
        }
        guard !isPaused else { return }
        apply(connection, held)
        awaitWritable(connection, held)
    }

    private func apply(_ connection: OpaquePointer, _ held: borrowing HeldLoop) {
        let reads = !isPaused && !isAnsweringPing
        control(connection, LWS_RXFLOW_REASON_USER_BOOL, allows: reads)
        socket?.setWantsToRead(reads, held)
    }

    /// Has lws read for all that `reason` has to do with it, or not.
    func control(_ connection: OpaquePointer, _ reason: Int, allows: Bool) {
        var change = LWS_RXFLOW_REASON_APPLIES | reason
        if allows { change |= LWS_RXFLOW_REASON_APPLIES_ENABLE_BIT }
        // At once, or lws would do it after the callback, where the change does not look like this side's.
        change |= LWS_RXFLOW_REASON_FLAG_PROCESS_NOW
        _ = whileHandling { lws_rx_flow_control(connection, Int32(change)) }
    }
}

// MARK: - Connections of which nothing is read for now, and which nobody but lws watches

/// Notices that the peer has reset such a connection.
///
/// From 4.3 on lws does not end it while there is something left that it has buffered, but waits for its socket all the same
/// (core-net/service.c: `lws_service_fd_tsi`), which comes back at once, for ever. Lives on the loop.
final class PausedConnections {
    private var gates: [Int32: ReadGate] = [:]

    func add(_ gate: ReadGate, _ descriptor: Int32) { gates[descriptor] = gate }

    /// The socket may be another's by now.
    func remove(_ gate: ReadGate, _ descriptor: Int32) {
        if gates[descriptor] === gate { gates[descriptor] = nil }
    }

    /// lws has looked at the sockets that it waits for.
    func look(_ held: borrowing HeldLoop) {
        guard !gates.isEmpty else { return }
        var sockets = gates.keys.map { pollfd(fd: $0, events: 0, revents: 0) }
        guard poll(&sockets, nfds_t(sockets.count), 0) > 0 else { return }
        for socket in sockets where socket.revents & Int16(POLLHUP | POLLERR) != 0 { gates[socket.fd]?.hungUp(held) }
    }
}
