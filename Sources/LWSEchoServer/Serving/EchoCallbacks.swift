// Where lws calls Swift.

import CLibWebSockets
import LWSServiceLoop

/// What lws calls for everything that happens on a vhost. lws has the address of the host as the vhost's user
/// pointer, and of a connection's object in the memory it keeps per connection.
func echoCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ bytes: UnsafeMutableRawPointer?, _ count: Int
) -> Int32 {
    // OpenSSL's judgement of a client's certificate stands. lws would replace it with this answer
    // (tls/openssl/openssl-server.c: OpenSSL_verify_callback).
    if reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION { return count == 1 ? 0 : -1 }
    if reason == LWS_CALLBACK_GET_THREAD_ID { return threadAsked(wsi) }
    guard let wsi, let vhost = lws_get_vhost(wsi), let pointer = lws_vhost_user(vhost) else { return 0 }
    let isFine = LoopContext.callback(of: wsi) { held in
        let host = Unmanaged<EchoHost>.fromOpaque(pointer).takeUnretainedValue()
        let payload = UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : max(0, count))
        switch reason {
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: return host.agreesToTLS(user, held)
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
            let kind = bytes.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) } ?? ""
            return host.admits(wsi, upgradeTo: Array(kind.utf8), held)
        case LWS_CALLBACK_HTTP: return host.admits(wsi, upgradeTo: [], held) && false
        // A CONNECT request turns the connection into a raw one (roles/http/server/server.c).
        case LWS_CALLBACK_RAW_ADOPT, LWS_CALLBACK_RAW_RX: return false
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
            guard let user, let connection = host.makeConnection(wsi, held) else { return false }
            ConnectionSlot(user).fill(connection)
            return true
        // For other reasons `user` is not always the connection's memory (LWS_CALLBACK_FILTER_NETWORK_CONNECTION
        // comes with its arguments there).
        case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY, LWS_CALLBACK_ADD_HEADERS, LWS_CALLBACK_ESTABLISHED,
            LWS_CALLBACK_RECEIVE, LWS_CALLBACK_RECEIVE_PONG, LWS_CALLBACK_SERVER_WRITEABLE,
            LWS_CALLBACK_WS_PEER_INITIATED_CLOSE, LWS_CALLBACK_CLOSED, LWS_CALLBACK_WSI_DESTROY:
            guard let user, let connection = ConnectionSlot(user).connection else { return true }
            return connection.reading.whileHandling {
                connectionCallback(host, connection, ConnectionSlot(user), reason, payload, held)
            }
        default: return true
        }
    }
    return isFine ?? true ? 0 : -1
}

/// lws changes what it waits for on a connection, or has begun to serve the loop: then it shows no connection but the
/// beginning of one, without a vhost, of which nothing else may be looked at (`lws_fakewsi_prep_plwsa_ctx`).
private func threadAsked(_ wsi: OpaquePointer?) -> Int32 {
    guard let wsi, lws_get_vhost(wsi) != nil, let slot = lws_wsi_user(wsi),
        let connection = ConnectionSlot(slot).connection
    else { return ReadGate.threadID }
    _ = LoopContext.callback(of: wsi) { held in
        connection.waitChanged(held)
    }
    return ReadGate.threadID
}

private func connectionCallback(
    _ host: EchoHost, _ connection: EchoConnection, _ slot: ConnectionSlot, _ reason: lws_callback_reasons,
    _ payload: UnsafeRawBufferPointer, _ held: borrowing HeldLoop
) -> Bool {
    switch reason {
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY: return host.agreesToDeflate(connection, held)
    case LWS_CALLBACK_ADD_HEADERS:
        guard connection.compression != nil, let offer = connection.offer else { return true }
        guard let arguments = payload.baseAddress?.assumingMemoryBound(to: lws_process_html_args.self) else {
            return false
        }
        return offer.completeAnswer(UnsafeMutablePointer(mutating: arguments))
    case LWS_CALLBACK_ESTABLISHED: host.opened(connection, held)
    case LWS_CALLBACK_RECEIVE: return connection.received(payload, held)
    case LWS_CALLBACK_RECEIVE_PONG: connection.pongArrived(payload, held)
    case LWS_CALLBACK_SERVER_WRITEABLE: return host.writable(connection, held)
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return connection.closeArrived(payload, held)
    case LWS_CALLBACK_CLOSED: host.closed(connection, held)
    // The last call for a connection, with its memory still there (core-net/close.c: __lws_close_free_wsi_final).
    case LWS_CALLBACK_WSI_DESTROY:
        host.destroyed(connection, held)
        slot.empty()
    default: break
    }
    return true
}

/// What lws calls for our extension on one connection.
func echoExtensionCallback(
    _ wsi: OpaquePointer?, _ reason: lws_extension_callback_reasons, _ argument: UnsafeMutableRawPointer?,
    _ count: Int
) -> Int32 {
    guard let wsi, let vhost = lws_get_vhost(wsi), let pointer = lws_vhost_user(vhost),
        let slot = lws_wsi_user(wsi), let connection = ConnectionSlot(slot).connection
    else { return 0 }
    let result = LoopContext.callback(of: wsi) { held in
        let host = Unmanaged<EchoHost>.fromOpaque(pointer).takeUnretainedValue()
        return deflateCallback(host, connection, reason, argument, count, held)
    }
    return result ?? 0
}

/// The memory that lws keeps per connection: one pointer, zero until filled.
struct ConnectionSlot {
    private let pointer: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init(_ memory: UnsafeMutableRawPointer) {
        pointer = memory.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    var connection: EchoConnection? {
        pointer.pointee.map { Unmanaged<EchoConnection>.fromOpaque($0).takeUnretainedValue() }
    }

    func fill(_ connection: EchoConnection) {
        empty()
        pointer.pointee = Unmanaged.passRetained(connection).toOpaque()
    }

    func empty() {
        guard let object = pointer.pointee else { return }
        pointer.pointee = nil
        Unmanaged<EchoConnection>.fromOpaque(object).release()
    }
}
