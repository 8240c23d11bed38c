// The server's side of TLS on a socket, for scripted peers.

import COpenSSL

/// What a scripted server needs for TLS: a certificate with its key. Sessions are resumed where a client asks for that.
package final class TLSIdentity: @unchecked Sendable {
    // Safe to share: an SSL_CTX is reference-counted and locks what changes in it; it is configured in `init` alone.
    fileprivate let context: OpaquePointer

    package init(chainFile: String, privateKeyFile: String) throws {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw PeerError("SSL_CTX_new") }
        self.context = context
        guard SSL_CTX_use_certificate_chain_file(context, chainFile) == 1,
            SSL_CTX_use_PrivateKey_file(context, privateKeyFile, SSL_FILETYPE_PEM) == 1
        else { throw PeerError("the certificate \(chainFile) cannot be used") }
    }

    package convenience init(_ identity: TestIdentity) throws {
        try self.init(chainFile: identity.chainFile, privateKeyFile: identity.privateKeyFile)
    }

    deinit { SSL_CTX_free(context) }
}

/// TLS on one accepted socket, which blocks. One thread at a time may use it.
final class TLSSession: @unchecked Sendable {
    // Safe to share: used by the thread of the connection's script alone, see RawConnection.
    private let session: OpaquePointer

    /// Does the handshake; `nil` where it fails.
    init?(_ identity: TLSIdentity, on descriptor: Int32) {
        guard let session = SSL_new(identity.context) else { return nil }
        self.session = session
        guard SSL_set_fd(session, descriptor) == 1, SSL_accept(session) == 1 else {
            ERR_clear_error()
            return nil
        }
    }

    deinit { SSL_free(session) }

    /// As `recv`: the number of bytes, 0 at the end, or negative.
    func read(_ buffer: inout [UInt8]) -> Int {
        defer { ERR_clear_error() }
        return Int(SSL_read(session, &buffer, Int32(clamping: buffer.count)))
    }

    /// As `send`.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        defer { ERR_clear_error() }
        return Int(SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count)))
    }

    /// Sends close_notify.
    func end() {
        SSL_shutdown(session)
        ERR_clear_error()
    }
}
