// What lws has to know once per loop before clients can connect from it.

internal import CLibWebSockets
internal import LWSServiceLoop

/// The vhost that a loop's `ws:` clients connect from, with its protocol.
final class ClientVhost: LoopResident {
    let vhost: OpaquePointer
    private let protocols: UnsafeMutablePointer<lws_protocols>
    private static let protocolCount = 2
    private let deflate = DeflateExtension()

    /// The protocol's name for lws; it never goes over the wire.
    static let protocolName = "lws-websocket-client"
    /// Bytes of a connection's receive buffer, which is also the longest piece of a frame that lws delivers.
    private static let receiveBufferSize = 4096
    /// Bytes that lws passes to one `send`; what does not go out it copies. A frame of the default size fits.
    private static let sendSize = 1 << 17

    init?(_ held: borrowing HeldLoop) {
        precondition(clws_pre <= OutgoingMessage.headroom, "this lws wants more room before a payload")
        protocols = .allocate(capacity: Self.protocolCount)
        protocols.initialize(repeating: lws_protocols(), count: Self.protocolCount)
        // Both live as long as the context does: the loop's residents are freed after lws_context_destroy.
        protocols[0].name = UnsafePointer(strdup(Self.protocolName))
        protocols[0].callback = clientCallback
        protocols[0].rx_buffer_size = Self.receiveBufferSize
        protocols[0].tx_packet_size = Self.sendSize
        var info = lws_context_creation_info()
        info.port = clws_port_no_listen
        info.protocols = UnsafePointer(protocols)
        info.vhost_name = protocols[0].name
        if DeflateExtension.isAvailable { info.extensions = deflate.pointer }
        // The deadlines are ours; lws's own, in whole seconds, must not come before them.
        info.timeout_secs = Self.noTimeout
        info.connect_timeout_secs = Self.noTimeout
        info.timeout_secs_ah_idle = Self.noTimeout
        clws_ignore_environment_proxy(&info)
        guard let vhost = lws_create_vhost(held.context, &info) else {
            Self.release(protocols)
            return nil
        }
        self.vhost = vhost
    }

    deinit { Self.release(protocols) }

    /// Ten years, for 0 would mean lws's default.
    static let noTimeout: UInt32 = 10 * 365 * 24 * 3600

    private static func release(_ protocols: UnsafeMutablePointer<lws_protocols>) {
        free(UnsafeMutableRawPointer(mutating: protocols[0].name))
        protocols.deinitialize(count: protocolCount)
        protocols.deallocate()
    }
}
