// What lws has to know before clients can connect: vhosts with their protocols, shared, and where lws calls Swift.

internal import CLibWebSockets
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A vhost that clients connect from, with its protocols. Lives on the loop, in the ``ClientVhostPool``.
final class ClientVhost {
    let vhost: OpaquePointer
    private let protocols: UnsafeMutablePointer<lws_protocols>
    private static let protocolCount = 3
    let deflate = DeflateExtension.makeTable()
    /// Connections are made from it for as long as the vhost lives.
    private let tls: TLSContext?

    /// The protocol's name for lws; it never goes over the wire.
    static let protocolName = "lws-websocket-client"
    /// What watches for answers, likewise.
    static let watcherName = "lws-websocket-arrivals"
    /// Bytes of a connection's receive buffer, which is also the most that lws reads at once, and the longest piece of a frame
    /// that it delivers. What nobody has sent costs only addresses.
    ///
    /// Over TLS it has to hold a record's longest plaintext (RFC 8446, section 5.1), so that lws leaves nothing of one with
    /// OpenSSL. Where reading pauses while something is left there, 4.1 serves this connection for ever, and no other
    /// (roles/ws/ops-ws.c, rops_handle_POLLIN_ws: "goto read" puts what is buffered back into the buffer).
    private static let receiveBufferSize = LoopContext.serviceBufferSize
    /// Bytes that lws passes to one `send`; what does not go out it copies. A frame of the default size fits.
    private static let sendSize = 1 << 17

    init?(_ key: VhostKey, _ held: borrowing HeldLoop) {
        precondition(clws_pre <= OutgoingMessage.headroom, "this lws wants more room before a payload")
        protocols = .allocate(capacity: Self.protocolCount)
        protocols.initialize(repeating: lws_protocols(), count: Self.protocolCount)
        // Both live until lws has destroyed the vhost: by `destroy`, or with its context, before the loop's residents
        // are freed.
        protocols[0].name = UnsafePointer(strdup(Self.protocolName))
        protocols[0].callback = clientCallback
        protocols[0].rx_buffer_size = Self.receiveBufferSize
        protocols[0].tx_packet_size = Self.sendSize
        protocols[1].name = UnsafePointer(strdup(Self.watcherName))
        protocols[1].callback = arrivalWatchCallback
        var info = lws_context_creation_info()
        info.port = clws_port_no_listen
        info.protocols = UnsafePointer(protocols)
        info.vhost_name = protocols[0].name
        if LibraryFeature.compression.isPresent { info.extensions = UnsafePointer(deflate.list) }
        // The deadlines are ours; lws's own, in whole seconds, must not come before them.
        info.timeout_secs = LoopOptions.noTimeout
        info.connect_timeout_secs = LoopOptions.noTimeout
        info.timeout_secs_ah_idle = LoopOptions.noTimeout
        info.retry_and_idle_policy = clws_no_validity_checks()
        if let port = key.proxyPort {
            clws_use_proxy_port(&info, UInt32(port))
        } else {
            clws_ignore_environment_proxy(&info)
        }
        // lws uses this context as it is and leaves it to us (tls-client.c: lws_context_init_client_ssl). The option is
        // the vhost's alone: as one of lws's context it would add places to all of OpenSSL's connections with each
        // context that is made (openssl-tls.c: lws_context_init_ssl_library), and they are never given back.
        if let tls = key.tls {
            info.options = clws_option_ssl_global_init | clws_option_no_session_cache
            info.provided_client_ssl_ctx = tls.pointer
        }
        tls = key.tls
        errno = 0
        guard let vhost = lws_create_vhost(held.context, &info) else {
            Self.release(protocols)
            return nil
        }
        // Without memory for the lists of connections it is made all the same (core-net/vhost.c: same_vh_protocol_owner), and the
        // first connection ends the process.
        guard !HeldLoop.lacksMemory else {
            lws_vhost_destroy(vhost)
            Self.release(protocols)
            return nil
        }
        self.vhost = vhost
    }

    /// Sets where the next connection of a vhost with a proxy goes; lws reads it in the connect call. Returns false where lws
    /// cannot go there.
    func setProxy(at address: ResolvedAddress, port: Int, _ held: borrowing HeldLoop) -> Bool {
        guard address.isIPv6 else { return lws_set_proxy(vhost, "http://\(address.numeric)") == 0 }
        return clws_takes_ipv6_proxy(vhost, UInt32(port)) && lws_set_proxy(vhost, "http://[\(address.numeric)]") == 0
    }

    /// Nothing may be connected any more, or lws would keep the vhost: 4.1 waits for its last connection to end but
    /// then forgets that it was to go (core-net/vhost.c: lws_vhost_destroy1 does not set being_destroyed).
    func destroy(_ held: borrowing HeldLoop) { lws_vhost_destroy(vhost) }

    deinit { Self.release(protocols) }

    private static func release(_ protocols: UnsafeMutablePointer<lws_protocols>) {
        for index in 0..<protocolCount { free(UnsafeMutableRawPointer(mutating: protocols[index].name)) }
        protocols.deinitialize(count: protocolCount)
        protocols.deallocate()
    }
}

// MARK: - The vhosts of a loop, shared by the clients that want the same of them

/// What a vhost decides for all its connections, because lws reads it from there while they are made.
struct VhostKey: Sendable, Hashable {
    /// The port of the proxy, where there is one.
    var proxyPort: Int?
    /// What connections over TLS are made from; `nil` without TLS.
    var tls: TLSContext?

    /// What most clients have.
    static let plain = VhostKey()
}

/// A vhost for each key that a client has, and for those that the last of them has left a moment ago. The plain one stays with
/// the loop.
///
/// Who makes one client after the other with the same settings would have lws and OpenSSL start from nothing each time: to
/// connect over TLS took 3.6 ms in place of 2.8.
final class ClientVhostPool: LoopResident {
    private struct Entry {
        let vhost: ClientVhost
        var users = 0
        /// When the last user has gone.
        var idleSince = LoopClock.now
    }

    private var entries: [VhostKey: Entry] = [:]
    /// Ends those that have been idle for long.
    private lazy var timer = LoopTimer { [unowned self] held in endIdle(held) }

    /// How long a vhost waits for another user, at most twice that.
    private static let linger = Duration.milliseconds(500)
    /// How many do.
    private static let mostIdle = 8

    init?(_ held: borrowing HeldLoop) {
        guard let plain = ClientVhost(.plain, held) else { return nil }
        // A user that never goes.
        entries[.plain] = Entry(vhost: plain, users: 1)
        watchers = plain
        // lws asks by LWS_CALLBACK_GET_THREAD_ID, which tells what it waits for, once it has had a pass with a vhost
        // (plat/unix/unix-service.c: service_tid_detected).
        held.noteWork()
    }

    /// Where the watchers of descriptors live: they end a moment after the client that they watch for.
    let watchers: ClientVhost

    /// The vhost for `key`, to be given back with ``release(_:_:)``; `nil` where lws refuses to make it.
    func acquire(_ key: VhostKey, _ held: borrowing HeldLoop) -> ClientVhost? {
        guard var entry = entries[key] ?? ClientVhost(key, held).map({ Entry(vhost: $0) }) else { return nil }
        entry.users += 1
        entries[key] = entry
        return entry.vhost
    }

    /// A client is gone. Not called from inside a callback of its connection, which still counts for the vhost.
    func release(_ key: VhostKey, _ held: borrowing HeldLoop) {
        guard var entry = entries[key] else { return }
        entry.users -= 1
        entry.idleSince = LoopClock.now
        entries[key] = entry
        guard entry.users == 0 else { return }
        if entries.values.count(where: { $0.users == 0 }) > Self.mostIdle { return end(key, held) }
        armTimer(held)
    }

    private func endIdle(_ held: borrowing HeldLoop) {
        let now = LoopClock.now
        let idle = entries.filter { $0.value.users == 0 }
        let old = idle.filter { $0.value.idleSince.duration(to: now) >= Self.linger }
        for key in old.keys { end(key, held) }
        if old.count < idle.count { armTimer(held) }
    }

    private func armTimer(_ held: borrowing HeldLoop) {
        if !timer.isArmed { timer.arm(after: Self.linger, held) }
    }

    private func end(_ key: VhostKey, _ held: borrowing HeldLoop) {
        entries.removeValue(forKey: key)?.vhost.destroy(held)
        held.noteWork()
    }

    func loopEnds(_ held: borrowing HeldLoop) { timer.cancel(held) }

    /// For tests.
    var count: Int { entries.count }
}

// MARK: - Where lws calls back

/// The callback of the client's one protocol: lws tells of the begin and the end of a connection to the first protocol of
/// its vhost, whichever it was made with (core-net/close.c: __lws_close_free_wsi_final). Calls that concern no connection
/// come without a user pointer.
func clientCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    if reason == LWS_CALLBACK_GET_THREAD_ID { return threadAsked(wsi) }
    guard let wsi, let user else { return 0 }
    // Others come often as well and mean nothing here: no look at the loop for them.
    guard isHandled(reason) else { return 0 }
    return LoopContext.callback(of: wsi) { held in
        // Counts that lws keeps in an `int` arrive as a `size_t`: a negative one must not trap here.
        let argument = UnsafeMutableRawBufferPointer(start: argument, count: max(0, length))
        // Alive: an attempt retains it until `attemptEnded`, in the last call for it, which it has to outlive.
        let session = Unmanaged<ClientSession>.fromOpaque(user)
        guard reason != LWS_CALLBACK_WSI_DESTROY else {
            return session.takeUnretainedValue().handle(reason, wsi, argument, held) ? 0 : -1
        }
        return session._withUnsafeGuaranteedRef { $0.handle(reason, wsi, argument, held) ? 0 : -1 }
    } ?? 0
}

/// lws changes what it waits for on a connection, or has begun to serve the loop: then it shows no connection but the
/// beginning of one, without a vhost, of which nothing else may be looked at (`lws_fakewsi_prep_plwsa_ctx`). It gives no user
/// pointer either way.
private func threadAsked(_ wsi: OpaquePointer?) -> Int32 {
    guard let wsi, lws_get_vhost(wsi) != nil, let user = lws_wsi_user(wsi) else { return ReadGate.threadID }
    _ = LoopContext.callback(of: wsi) { held in
        Unmanaged<ClientSession>.fromOpaque(user).takeUnretainedValue().waitChanged(wsi, held)
    }
    return ReadGate.threadID
}

private func isHandled(_ reason: lws_callback_reasons) -> Bool {
    switch reason {
    case LWS_CALLBACK_CLIENT_RECEIVE, LWS_CALLBACK_CLIENT_RECEIVE_PONG, LWS_CALLBACK_CLIENT_WRITEABLE,
        LWS_CALLBACK_CLIENT_ESTABLISHED,
        LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED,
        LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP,
        LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH, LWS_CALLBACK_CLIENT_CONNECTION_ERROR,
        LWS_CALLBACK_WS_PEER_INITIATED_CLOSE, LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL, LWS_CALLBACK_CLIENT_CLOSED,
        LWS_CALLBACK_CLIENT_HTTP_WRITEABLE, LWS_CALLBACK_CLOSED_CLIENT_HTTP,
        LWS_CALLBACK_WSI_CREATE, LWS_CALLBACK_WSI_DESTROY:
        true
    default: false
    }
}
