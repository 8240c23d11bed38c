// Keep-alive on the loop: the timer that pings, and judges a peer that stays silent.

internal import CLibWebSockets
internal import LWSServiceLoop

/// The timetable of one open connection with its timer. Lives with the ``WebSocketRole``, which stops it before it
/// lets go of it.
final class KeepAlive {
    var plan: KeepAlivePlan
    private let timer: LoopTimer

    init(_ settings: KeepAlivePlan.Settings, _ fired: @escaping (borrowing HeldLoop) -> Void) {
        plan = KeepAlivePlan(settings, at: .now)
        timer = LoopTimer(fired)
    }

    func arm(isPaused: Bool, _ held: borrowing HeldLoop) {
        timer.arm(after: plan.pause(from: .now, isPaused: isPaused), held)
    }

    func stop(_ held: borrowing HeldLoop) { timer.cancel(held) }
}

extension WebSocketRole {
    /// The connection is open.
    func startKeepAlive(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let settings = connection.limits.keepAlive else { return }
        let keepAlive = KeepAlive(settings) { [unowned self, unowned session] held in
            keepAliveFired(session, held)
        }
        keepAlive.arm(isPaused: false, held)
        self.keepAlive = keepAlive
    }

    /// Reading goes on after a pause: what the peer sent meanwhile has yet to be read, and no ping gets in its way.
    func resumeKeepAlive(_ held: borrowing HeldLoop) {
        guard let keepAlive, connection.phase == .open else { return }
        keepAlive.plan.restart(at: .now)
        keepAlive.plan.postpone(at: .now)
        keepAlive.arm(isPaused: false, held)
    }

    private func keepAliveFired(_ session: ClientSession, _ held: borrowing HeldLoop) {
        guard let keepAlive, let wsi = session.wsi, connection.phase == .open else { return }
        let now = LoopClock.now
        // After a time in which the process did not run, the answer may lie in the socket while the timer, which
        // lws serves first, is due.
        if keepAlive.plan.isOverdue(at: now), Socket.hasUnreadBytes(lws_get_socket_fd(wsi)) {
            keepAlive.plan.restart(at: now)
        }
        switch keepAlive.plan.step(at: now, isPaused: reading.isPaused) {
        case .wait: break
        case .ping where reading.isPaused || Socket.hasUnreadBytes(lws_get_socket_fd(wsi)):
            // Its pong would have to wait behind what is unread; and where the peer has closed behind that, the ping would
            // bring a reset, which throws it away. Nothing was asked, so nobody is judged.
            keepAlive.plan.heard()
        case .ping: if connection.queueKeepAlivePing() { reading.awaitWritable(wsi, held) }
        case .giveUp:
            connection.pingWasNotAnswered(within: keepAlive.plan.settings.limit ?? .zero)
            return
        }
        keepAlive.arm(isPaused: reading.isPaused, held)
    }
}
