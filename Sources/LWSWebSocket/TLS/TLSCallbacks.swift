// Where OpenSSL calls back.

internal import COpenSSL
internal import LWSServiceLoop

extension TLSContext {
    /// The trampolines: each finds its connection's handshake and calls one method.
    ///
    /// The place in an `SSL_CTX` that leads back to this object is not retained: connections are made from it only while
    /// a vhost holds this object, and a connection's handshake holds it too.
    /// - Throws: `ssl` where OpenSSL has no place for it.
    func installCallbacks() throws(WebSocketError) {
        guard let indices = ExtraData.indices.value,
            SSL_CTX_set_ex_data(pointer, indices.context, Unmanaged.passUnretained(self).toOpaque()) == 1
        else { throw WebSocketError(.ssl, "OpenSSL could not be set up") }
        SSL_CTX_set_info_callback(pointer, infoCallback)
        SSL_CTX_set_cert_verify_callback(pointer, verifyCallback, nil)
        SSL_CTX_set_client_cert_cb(pointer, clientCertificateCallback)
        cossl_set_status_callback(pointer, statusCallback)
        cossl_hand_over_sessions(pointer)
        SSL_CTX_sess_set_new_cb(pointer, sessionCallback)
        if keyLog != nil { SSL_CTX_set_keylog_callback(pointer, keyLogCallback) }
    }
}

/// The places for objects of ours in OpenSSL's.
private struct ExtraData {
    let context: Int32
    let handshake: Int32

    static let indices = MadeOnce<ExtraData> {
        let indices = ExtraData(
            context: cossl_new_context_index(), handshake: cossl_new_connection_index(freeHandshake))
        return indices.context >= 0 && indices.handshake >= 0 ? indices : nil
    }
}

extension TLSHandshake {
    /// That of a connection, for which it begins with the first event.
    fileprivate static func of(_ ssl: OpaquePointer?) -> TLSHandshake? {
        guard let ssl, let indices = ExtraData.indices.value, let place = SSL_get_ex_data(ssl, indices.handshake)
        else { return nil }
        return Unmanaged<TLSHandshake>.fromOpaque(place).takeUnretainedValue()
    }

    /// Finds the handshake that this connection was made for, and has the connection hold it.
    fileprivate static func attach(to ssl: OpaquePointer) {
        guard let indices = ExtraData.indices.value,
            let place = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), indices.context)
        else { return }
        let context = Unmanaged<TLSContext>.fromOpaque(place).takeUnretainedValue()
        guard let handshake = context.begin(on: SSL_get_fd(ssl)) else { return }
        let retained = Unmanaged.passRetained(handshake)
        guard SSL_set_ex_data(ssl, indices.handshake, retained.toOpaque()) == 1 else {
            retained.release()
            return
        }
        handshake.begin(ssl)
    }
}

/// OpenSSL frees a connection.
private func freeHandshake(
    _ parent: UnsafeMutableRawPointer?, _ place: UnsafeMutableRawPointer?,
    _ data: UnsafeMutablePointer<CRYPTO_EX_DATA>?, _ index: Int32, _ argument: Int,
    _ pointer: UnsafeMutableRawPointer?
) {
    guard let place else { return }
    let handshake = Unmanaged<TLSHandshake>.fromOpaque(place)
    handshake.takeUnretainedValue().released()
    handshake.release()
}

private func infoCallback(_ ssl: OpaquePointer?, _ event: Int32, _ value: Int32) {
    guard let ssl else { return }
    if event == SSL_CB_HANDSHAKE_START, TLSHandshake.of(ssl) == nil { TLSHandshake.attach(to: ssl) }
    guard let handshake = TLSHandshake.of(ssl) else { return }
    switch event {
    case SSL_CB_CONNECT_LOOP: handshake.progressed(ssl)
    case SSL_CB_CONNECT_EXIT: if value <= 0 { handshake.stopped() }
    case SSL_CB_HANDSHAKE_DONE: handshake.completed(ssl)
    case SSL_CB_READ_ALERT: handshake.alert(value, isIncoming: true, ssl)
    case SSL_CB_WRITE_ALERT: handshake.alert(value, isIncoming: false, ssl)
    default: break
    }
}

/// Of the header of a record, just before it is written.
func messageCallback(
    _ isWritten: Int32, _ version: Int32, _ kind: Int32, _ bytes: UnsafeRawPointer?, _ count: Int,
    _ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) {
    if isWritten == 1 { TLSHandshake.of(ssl)?.noteMemory() }
}

private func verifyCallback(_ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    let place = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    // Without its handshake nobody knows whom the connection is to.
    guard let store, let place, let handshake = TLSHandshake.of(OpaquePointer(place)) else { return 0 }
    return handshake.verify(store) ? 1 : 0
}

private func clientCertificateCallback(
    _ ssl: OpaquePointer?, _ certificate: UnsafeMutablePointer<OpaquePointer?>?,
    _ key: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    // Called where the settings have no certificate that will do.
    TLSHandshake.of(ssl)?.lacksCertificate = true
    return 0
}

private func statusCallback(_ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let ssl, let handshake = TLSHandshake.of(ssl) else { return 0 }
    return handshake.checkStaple(ssl) ? 1 : 0
}

private func sessionCallback(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    if let session { TLSHandshake.of(ssl)?.received(session: session) }
    // The session stays OpenSSL's.
    return 0
}

private func keyLogCallback(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line else { return }
    TLSHandshake.of(ssl)?.context.keyLog?.add(line)
}
