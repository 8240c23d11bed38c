// What a connection's peer has sent, read record by record.

internal import COpenSSL

/// Reads from a connection of OpenSSL's that lws reads from, too, at other times. It never waits.
struct TLSRecords {
    private let ssl: OpaquePointer

    init(_ ssl: OpaquePointer) { self.ssl = ssl }

    /// What is left of a record, or of the next one where nothing is.
    /// - Parameter taking: it is gone then.
    /// - Returns: how many bytes; 0 where nothing is there, `nil` where TLS has ended, or is broken.
    func look(into buffer: UnsafeMutableRawBufferPointer, taking: Bool) -> Int? {
        open()
        defer { close() }
        // A record may hold what is OpenSSL's own business, after which it wants to be asked again (cossl_set_modes); in
        // the next turn, for a server may send any number.
        ERR_clear_error()
        defer { ERR_clear_error() }
        let count = Int32(clamping: buffer.count)
        let status =
            taking ? SSL_read(ssl, buffer.baseAddress, count) : SSL_peek(ssl, buffer.baseAddress, count)
        guard status <= 0 else { return Int(status) }
        let reason = SSL_get_error(ssl, status)
        return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? 0 : nil
    }

    /// The peer has reset the connection, and what was written since was dropped.
    var isBroken: Bool { cossl_is_broken(ssl) }

    /// OpenSSL reads from the socket for whoever asks.
    func open() { cossl_open_gate(ssl) }

    /// OpenSSL reads nothing from the socket but for ``look(into:taking:)``: there is what it has decrypted, and no more.
    func close() { cossl_close_gate(ssl) }
}
