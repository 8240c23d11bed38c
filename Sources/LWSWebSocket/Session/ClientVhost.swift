// What lws has to know before clients can connect: a vhost with its protocols.

internal import CLibWebSockets
internal import LWSServiceLoop

/// A vhost that clients connect from, with its protocols. Lives on the loop, in the ``ClientVhostPool``.
final class ClientVhost {
    let vhost: OpaquePointer
    private let protocols: UnsafeMutablePointer<lws_protocols>
    private static let protocolCount = 3
    private let deflate = DeflateExtension()
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
        if DeflateExtension.isAvailable { info.extensions = deflate.pointer }
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
        guard let vhost = lws_create_vhost(held.context, &info) else {
            Self.release(protocols)
            return nil
        }
        self.vhost = vhost
    }

    /// Sets where the next connection of a vhost with a proxy goes; lws reads it in the connect call. Returns false where lws
    /// cannot go there.
    func setProxy(at address: ResolvedAddress, _ held: borrowing HeldLoop) -> Bool {
        let isIPv6 = address.numeric.contains(":")
        guard clws_takes_ipv6_proxy || !isIPv6 else { return false }
        let place = isIPv6 ? "[\(address.numeric)]" : address.numeric
        return lws_set_proxy(vhost, "http://\(place)") == 0
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
