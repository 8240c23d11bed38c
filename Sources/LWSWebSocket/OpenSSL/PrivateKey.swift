// Private keys, and reading them.

internal import COpenSSL

/// A private key in OpenSSL's form.
final class PrivateKey: @unchecked Sendable {
    // Safe to share: an EVP_PKEY is reference-counted with atomic operations, and never changed once it is made;
    // OpenSSL signs with one on several threads at once, each with a context of its own (openssl-threads(7)).
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// Reads a key in PEM form: PKCS#8 or traditional, encrypted or not.
    /// - Throws: `ssl` naming the file: without a key, damaged, encrypted without a password, or with another one.
    init(pem bytes: [UInt8], password: String?, _ file: FieldFile) throws(WebSocketError) {
        let text = String(decoding: bytes, as: UTF8.self)
        // From 3.0 on OpenSSL says "unsupported" of whatever has no key.
        guard text.contains("PRIVATE KEY-----") else { throw file.error("has no private key in PEM form") }
        let isEncrypted = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
        if isEncrypted, password == nil {
            throw file.error("is an encrypted key, and there is no password for it")
        }
        pointer = try OpenSSLError.scope { () throws(WebSocketError) in
            guard let input = PEM.reader(bytes) else { throw file.error("cannot be read: out of memory") }
            defer { BIO_free(input) }
            // Without a callback OpenSSL would ask at the terminal.
            let given = Password(password ?? "")
            let key = withExtendedLifetime(given) {
                PEM_read_bio_PrivateKey(input, nil, passwordCallback, Unmanaged.passUnretained(given).toOpaque())
            }
            if let key { return key }
            let detail = OpenSSLError.last
            throw file.error(
                isEncrypted ? "cannot be decrypted: wrong password, or the key is damaged" : "is not a readable key",
                detail: detail?.words)
        }
    }
}

private final class Password {
    let bytes: [UInt8]
    init(_ text: String) { bytes = Array(text.utf8) }
}

private func passwordCallback(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let buffer, let context else { return -1 }
    let password = Unmanaged<Password>.fromOpaque(context).takeUnretainedValue().bytes
    guard password.count <= Int(size) else { return -1 }
    UnsafeMutableRawPointer(buffer).copyMemory(from: password, byteCount: password.count)
    return Int32(password.count)
}
