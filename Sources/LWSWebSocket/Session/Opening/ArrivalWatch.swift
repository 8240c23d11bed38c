// Tells when something arrives on a socket that lws is kept from reading, and why an address could not be reached.

internal import CLibWebSockets
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Who waits for what arrives on a socket.
protocol ArrivalWatcher: AnyObject {
    /// Something has arrived, or the stream has ended. Not called from inside a callback of lws.
    func arrived(_ held: borrowing HeldLoop)
}

/// Who waits for an attempt to connect to fail.
protocol FailureWatcher: AnyObject {
    /// There may be an error on the socket. Called before lws looks at it, but for an error that comes while lws looks at one
    /// socket after the other.
    func mayHaveFailed(_ held: borrowing HeldLoop)
}

/// All the sockets of a loop whose next bytes somebody wants to see before lws reads them: the system gathers what happens on
/// them behind one descriptor, which is waited for. None of them needs a second descriptor.
final class ArrivalWatch: LoopResident, PassFinisher {
    /// A socket that is watched; to be given back with ``stop(_:)`` before the socket is closed.
    struct Ticket {
        fileprivate let tag: UInt64
        fileprivate let descriptor: Int32
    }

    /// -1 when lws has closed it.
    private var arrivals: Int32
    /// A descriptor on which nothing happens: a watch of nothing.
    let quiet: Int32
    private var watchers: [UInt64: any ArrivalWatcher] = [:]
    private var failureWatchers: [UInt64: any FailureWatcher] = [:]
    /// What is told of when lws returns.
    private var arrived: [UInt64] = []
    private var lastTag: UInt64 = 0

    /// `nil` where the system or lws has no room for it.
    init?(_ held: borrowing HeldLoop) {
        quiet = clws_make_arrivals()
        guard quiet >= 0 else { return nil }
        arrivals = clws_make_arrivals()
        guard arrivals >= 0 else { return nil }
        var file = lws_sock_file_fd_type()
        file.filefd = arrivals
        let wsi = held.resident(ClientVhostPool.self).flatMap { pool in
            lws_adopt_descriptor_vhost(
                pool.watchers.vhost, LWS_ADOPT_RAW_FILE_DESC, file, ClientVhost.watcherName, nil)
        }
        guard let wsi else {
            // lws closes a socket that it refuses, but not a file (adopt.c: lws_adopt_descriptor_vhost2).
            close(arrivals)
            return nil
        }
        guard held.watchFile(arrivals) else {
            lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, clws_kill_sync)
            return nil
        }
        // Alive for as long as lws has this: a resident goes after lws's context.
        lws_set_opaque_user_data(wsi, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { close(quiet) }

    /// Has `watcher` hear of what arrives on the socket, for as long as it is alive or until ``stop(_:)``.
    /// - Parameter each: what stays in the socket is not told of again.
    /// - Returns: `nil` where the system cannot watch it.
    func watch(_ descriptor: Int32, each: Bool, _ watcher: any ArrivalWatcher) -> Ticket? {
        lastTag += 1
        guard clws_expect_arrivals(arrivals, descriptor, each, lastTag) else { return nil }
        watchers[lastTag] = watcher
        return Ticket(tag: lastTag, descriptor: descriptor)
    }

    /// Has `watcher` hear of the failure of connecting, likewise.
    func watchForFailure(_ descriptor: Int32, _ watcher: any FailureWatcher) -> Ticket? {
        lastTag += 1
        guard clws_expect_failure(arrivals, descriptor, lastTag) else { return nil }
        failureWatchers[lastTag] = watcher
        return Ticket(tag: lastTag, descriptor: descriptor)
    }

    func stop(_ ticket: Ticket) {
        let watched: AnyObject? =
            watchers.removeValue(forKey: ticket.tag) ?? failureWatchers.removeValue(forKey: ticket.tag)
        guard watched != nil, arrivals >= 0 else { return }
        clws_ignore_arrivals(arrivals, ticket.descriptor)
    }

    /// lws serves this before the connections, which were made after it (pollfd.c: __insert_wsi_socket_into_fds), and so does a
    /// loop that waits by itself.
    fileprivate func happened(_ held: borrowing HeldLoop) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) { tags in
            guard let start = tags.baseAddress, arrivals >= 0 else { return }
            // What has more to tell tells of it again.
            for tag in tags.prefix(max(0, Int(clws_next_arrivals(arrivals, start, Int32(tags.count))))) {
                if let watcher = failureWatchers[tag] { watcher.mayHaveFailed(held) } else { arrived.append(tag) }
            }
        }
        if !arrived.isEmpty { held.whenPassEnds(self) }
    }

    func passEnds(_ held: borrowing HeldLoop) {
        let tags = arrived
        arrived.removeAll(keepingCapacity: true)
        for tag in tags { watchers[tag]?.arrived(held) }
    }

    fileprivate func closed() { arrivals = -1 }
}

/// The callback of the watch's protocol.
func arrivalWatchCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    guard reason == LWS_CALLBACK_RAW_RX_FILE || reason == LWS_CALLBACK_RAW_CLOSE_FILE, let wsi else { return 0 }
    return LoopContext.callback(of: wsi) { held in
        guard let pointer = lws_get_opaque_user_data(wsi) else { return -1 }
        let watch = Unmanaged<ArrivalWatch>.fromOpaque(pointer).takeUnretainedValue()
        if reason == LWS_CALLBACK_RAW_RX_FILE { watch.happened(held) } else { watch.closed() }
        return 0
    } ?? 0
}

// MARK: - Why an address could not be reached

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
