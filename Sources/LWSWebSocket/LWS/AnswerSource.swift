// Where an answer is read from: a socket, or the TLS on it.

internal import CLibWebSockets
internal import COpenSSL
internal import LWSServiceLoop

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Looks at what has come on a connection of lws's, with or without taking it. It never waits.
struct AnswerSource {
    enum Look {
        /// So many bytes.
        case bytes(Int)
        case nothing
        /// The stream has ended, or is broken.
        case ended
    }

    let descriptor: Int32
    /// With TLS.
    let ssl: OpaquePointer?

    init(_ wsi: OpaquePointer) {
        descriptor = lws_get_socket_fd(wsi)
        ssl = lws_is_ssl(wsi) == 1 ? lws_get_ssl(wsi) : nil
    }

    /// Whether a look shows all that has come. Of TLS it shows what is left of one record, and the next when that was taken.
    var showsAll: Bool { ssl == nil }

    /// - Parameter taking: what is seen is gone then, and the next look shows what comes behind it.
    func look(into buffer: UnsafeMutableRawBufferPointer, taking: Bool = false) -> Look {
        guard let ssl else {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, taking ? clws_take : clws_peek)
            guard count <= 0 else { return .bytes(count) }
            return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
        }
        // A record may hold what is OpenSSL's own business, after which it wants to be asked again (cossl_set_modes); in
        // the next turn, for a server may send any number.
        ERR_clear_error()
        let count = Int32(buffer.count)
        let status =
            taking ? SSL_read(ssl, buffer.baseAddress, count) : SSL_peek(ssl, buffer.baseAddress, count)
        guard status <= 0 else { return .bytes(Int(status)) }
        defer { ERR_clear_error() }
        let reason = SSL_get_error(ssl, status)
        return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? .nothing : .ended
    }

    /// Takes bytes that a look has shown.
    func take(_ count: Int) {
        guard count > 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { _ = look(into: $0, taking: true) }
    }

    /// Has lws read what the last look has shown of TLS, and nothing of what may be in the socket behind it.
    func handOn(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        guard let ssl else { return }
        cossl_close_gate(ssl)
        // The connection may be gone after this, and OpenSSL's with it; this keeps the gate's place.
        SSL_up_ref(ssl)
        handOver(wsi, held)
        cossl_open_gate(ssl)
        SSL_free(ssl)
    }

    /// Has lws read.
    func handOver(_ wsi: OpaquePointer, _ held: borrowing HeldLoop) {
        lws_rx_flow_control(wsi, 1)
        held.serveReading(descriptor)
    }
}
