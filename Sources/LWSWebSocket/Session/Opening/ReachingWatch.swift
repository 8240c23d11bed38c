// Why an address could not be reached.

internal import CLibWebSockets
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Waits for the failure of an attempt to connect by TCP, to hear of it before lws does.
///
/// The system gives the reason once (SO_ERROR), and lws 4.1 tells nobody (client-handshake.c: lws_client_connect_3_connect).
final class ReachingWatch: FailureWatcher {
    private let descriptor: Int32
    /// Until the end of the watch. Not weak: an object that was ever referred to so is slower to retain for good.
    private var session: ClientSession?
    private var ticket: ArrivalWatch.Ticket?

    /// lws has asked the system to connect.
    init(_ connecting: OpaquePointer, _ session: ClientSession, _ held: borrowing HeldLoop) {
        descriptor = lws_get_socket_fd(connecting)
        self.session = session
        ticket = held.resident(ArrivalWatch.self)?.watchForFailure(descriptor, self)
    }

    /// The address is reached, or the attempt is over.
    func stop(_ held: borrowing HeldLoop) {
        session = nil
        guard let ticket else { return }
        self.ticket = nil
        held.resident(ArrivalWatch.self)?.stop(ticket)
    }

    func mayHaveFailed(_ held: borrowing HeldLoop) {
        guard let session, let reason = Socket.takeFailure(descriptor) else { return }
        // Before lws sees the socket, which has no error any more and would look connected.
        session.endAttempt(session.unreachable(reason), held)
    }
}

extension ClientSession {
    /// The longest time that an address which does not answer may take while others are left.
    private static let longestAttempt = Duration.seconds(5)

    /// Gives an address that does not answer only its share of the time, so that the others get theirs. The last
    /// one has all that is left, which the caller watches.
    func limitAttempt(_ held: borrowing HeldLoop) {
        guard case .connecting = phase, !addresses.isEmpty else { return }
        let share = deadline.remaining.map { $0 / (addresses.count + 1) } ?? Self.longestAttempt
        allow(min(share, Self.longestAttempt), held) { [unowned self] held in attemptTimedOut(held) }
    }

    private func attemptTimedOut(_ held: borrowing HeldLoop) {
        // Once TCP is connected the address works, and the rest of the handshake has all the time that is left.
        guard let wsi, !Socket.isConnected(lws_get_socket_fd(wsi)) else { return }
        endAttempt(unreachable(ETIMEDOUT), held)
    }

    /// Ends the attempt at this address. Not from inside a callback of lws.
    func endAttempt(_ reason: WebSocketError, _ held: borrowing HeldLoop) {
        guard let wsi else { return }
        failure = reason
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_sync)
    }

    func watchReaching(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        guard case .connecting = phase, !Socket.isConnected(lws_get_socket_fd(wsi)) else { return }
        let watch = ReachingWatch(wsi, self, held)
        enter(.connecting(watch))
        // On this machine it has failed by now.
        watch.mayHaveFailed(held)
    }

    /// - Parameter reason: the system's, where it is known. Of an attempt that fails on the spot it is what the system has said
    ///   last.
    func unreachable(_ reason: Int32? = nil, detail: String? = nil) -> WebSocketError {
        let reason = reason ?? (wsi == nil ? errno : 0)
        let known = SystemReason.unreachable(reason)
        if known == nil, let words = SystemReason.shortage(reason) ?? (wsi == nil ? DescriptorShortage.words : nil) {
            return error(.connection, "\(url.host) could not be asked: \(words)", detail: detail)
        }
        let why = known.map { ": \($0)" } ?? ""
        if let proxy = route.proxy {
            let place = address.map { $0.numeric == proxy.host ? "" : " at \($0.numeric)" } ?? ""
            return error(.connection, "The proxy \(proxy.name) could not be reached\(place)\(why)", detail: detail)
        }
        if let path = url.socketPath {
            return error(.connection, "Nobody accepts connections on the socket \(path)\(why)", detail: detail)
        }
        let (host, port) = (url.host, url.port)
        let place = address.map { $0.numeric == host ? "" : " at \($0.numeric)" } ?? ""
        return error(.connection, "\(host) could not be reached\(place), port \(port)\(why)", detail: detail)
    }
}
