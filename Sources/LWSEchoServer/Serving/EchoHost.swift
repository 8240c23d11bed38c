// Serving/: connections of the echo server on libwebsockets.
//
// Holds: the vhost with its tables and TLS, the callbacks, and each connection with what it sends by itself.

import CLibWebSockets
import LWSServiceLoop

/// A server's vhost with its connections. Lives on the loop; made before and freed after the loop's lws context,
/// because lws keeps pointers to what ``EchoTables`` holds.
final class EchoHost {
    private let configuration: EchoServer.Configuration
    private let tables: EchoTables
    private let openConnections: Locked<Int>
    private var connections: [ObjectIdentifier: EchoConnection] = [:]
    private var emptied: (() -> Void)?
    private var isStopping = false
    private var stopTimer: LoopTimer?
    /// Why OpenSSL does not do as configured.
    private var tlsRefusal: EchoServerError?
    let rooms = CompressionRooms()
    var deflateOptions: UnsafePointer<lws_ext_options> { UnsafePointer(tables.deflate.options) }

    init(_ configuration: EchoServer.Configuration, openConnections: Locked<Int>) {
        self.configuration = configuration
        self.openConnections = openConnections
        tables = EchoTables(subProtocols: configuration.subProtocols)
    }

    /// Listens. Returns the port.
    func listen(_ held: borrowing HeldLoop) throws(EchoServerError) -> Int {
        var info = lws_context_creation_info()
        info.port = Int32(configuration.port)
        info.retry_and_idle_policy = clws_no_validity_checks()
        info.protocols = UnsafePointer(tables.protocols)
        info.user = Unmanaged.passUnretained(self).toOpaque()
        info.options = clws_option_fail_if_unable_to_bind
        info.options |= ListenCheck.isIPv6(configuration.host) ? clws_option_ipv6_only : clws_option_no_ipv6
        if configuration.isCompressionEnabled { info.extensions = UnsafePointer(tables.deflate.list) }
        // A connection that is not read, /silent above all, learns by these probes alone that its client has gone.
        info.ka_time = 20
        info.ka_interval = 10
        info.ka_probes = 3
        // No HTTP/2, on which lws's flow control does nothing (core-net/wsi.c: lws_rx_flow_control).
        info.alpn = tables.alpn
        // lws keeps the pointer to the address for as long as the vhost lives.
        info.iface = tables.keep(configuration.host)
        if let tls = configuration.tls { VhostTLS.fill(&info, tls, tables) }
        let vhost = VhostTLS.makeVhost(&info, password: configuration.tls?.privateKeyPassword, held)
        guard let vhost else {
            if let tls = configuration.tls { throw tlsRefusal ?? VhostTLS.unusable(tls) }
            throw .cannotListen(
                host: configuration.host, port: configuration.port, reason: "libwebsockets made no vhost")
        }
        return Int(lws_get_vhost_listen_port(vhost))
    }

    /// Closes every connection with 1001, and calls `emptied` once all that can be told are gone, or after `limit`.
    func stop(within limit: Duration, _ held: borrowing HeldLoop, emptied: @escaping () -> Void) {
        guard !isStopping else { return }
        isStopping = true
        guard connections.values.contains(where: { $0.takesLeave }) else { return emptied() }
        self.emptied = emptied
        let timer = LoopTimer { [weak self] _ in self?.finishStopping() }
        stopTimer = timer
        timer.arm(after: limit, held)
        for connection in connections.values { connection.goAway(held) }
    }

    /// Nothing is waited for any longer, and nothing may fire after the context is gone.
    func endStopping(_ held: borrowing HeldLoop) {
        stopTimer?.cancel(held)
        stopTimer = nil
    }

    private func finishStopping() {
        emptied?()
        emptied = nil
    }

    // MARK: - What lws calls back for

    /// Whether the vhost that lws is making can have this SSL_CTX.
    func agreesToTLS(_ sslContext: UnsafeMutableRawPointer?, _ held: borrowing HeldLoop) -> Bool {
        guard let tls = configuration.tls, let sslContext else { return false }
        tlsRefusal = VhostTLS.refusal(of: tls, by: sslContext)
        return tlsRefusal == nil
    }

    /// Whether the request may go on to the upgrade; otherwise it has been answered and the connection is to end.
    func admits(_ wsi: OpaquePointer, upgradeTo kind: [UInt8], _ held: borrowing HeldLoop) -> Bool {
        let admission = Admission(configuration, isStopping: isStopping)
        guard let refusal = admission.refusal(of: wsi, upgradeTo: kind, held) else { return true }
        refusal.send(to: wsi, held)
        return false
    }

    /// Makes the connection whose 101 lws is about to write.
    func makeConnection(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) -> EchoConnection? {
        guard let path = try? EchoPath(Request.path(of: wsi, held)) else { return nil }
        let headers = path == .headers ? Request.headersAsJSON(of: wsi, held) : nil
        let offer = Request.header(WSI_TOKEN_EXTENSIONS, of: wsi, held).flatMap(DeflateOffer.chosen)
        let connection = EchoConnection(wsi, path, headers: headers, offer)
        if case .slowUpgrade(let milliseconds) = path {
            guard let delayed = DelayedUpgrade(lws_get_socket_fd(wsi)) else { return nil }
            connection.delayedUpgrade = delayed
            delayed.release(after: .milliseconds(milliseconds), held) { [weak connection] in
                connection?.delayedUpgrade = nil
            }
        }
        connections[ObjectIdentifier(connection)] = connection
        return connection
    }

    /// Whether permessage-deflate is agreed to as lws is about to: it asks once for every offer, in order.
    func agreesToDeflate(_ connection: EchoConnection, _ held: borrowing HeldLoop) -> Bool {
        defer { connection.offersSeen += 1 }
        return connection.offer?.index == connection.offersSeen
    }

    func opened(_ connection: EchoConnection, _ held: borrowing HeldLoop) {
        openConnections.withLock { $0 += 1 }
        connection.opened(held)
    }

    func writable(_ connection: EchoConnection, _ held: borrowing HeldLoop) -> Bool {
        connection.writable(isStopping: isStopping, held)
    }

    /// The connection is over.
    func closed(_ connection: EchoConnection, _ held: borrowing HeldLoop) {
        guard connection.isEstablished else { return }
        connection.isEstablished = false
        openConnections.withLock { $0 -= 1 }
    }

    /// lws frees the connection.
    func destroyed(_ connection: EchoConnection, _ held: borrowing HeldLoop) {
        closed(connection, held)
        connection.stopTimers(held)
        connection.delayedUpgrade?.cancel(held)
        connection.delayedUpgrade = nil
        connections[ObjectIdentifier(connection)] = nil
        guard let timer = stopTimer, !connections.values.contains(where: { $0.takesLeave }) else { return }
        timer.cancel(held)
        stopTimer = nil
        finishStopping()
    }
}
