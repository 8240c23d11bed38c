// Certificates and private keys.

internal import COpenSSL

/// A certificate in OpenSSL's form.
final class Certificate: @unchecked Sendable {
    // Safe to share: an X509 is reference-counted with atomic operations, and is only read here.
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    /// Takes a reference of its own.
    init(_ pointer: OpaquePointer) {
        X509_up_ref(pointer)
        self.pointer = pointer
    }

    deinit { X509_free(pointer) }

    /// All certificates of a PEM text, in their order; other blocks are passed over.
    /// - Throws: `ssl` for one that is damaged.
    static func read(pem bytes: [UInt8], _ file: FieldFile) throws(WebSocketError) -> [Certificate] {
        try PEM.blocks(bytes) {
            PEM_read_bio_X509_AUX($0, nil, nil, nil).map { Certificate(owning: $0) }
        } failure: { (words) in
            file.error("has a certificate that cannot be read", detail: words)
        }
    }

    /// The certificates of a stack that OpenSSL goes on owning.
    static func list(_ stack: OpaquePointer?) -> [Certificate] {
        (0..<cossl_certificate_count(stack)).compactMap { cossl_certificate_at(stack, $0).map { Certificate($0) } }
    }
}

/// Text with blocks of base64 (RFC 7468).
enum PEM {
    /// Reads block after block until there is no other.
    static func blocks<Block>(
        _ bytes: [UInt8], _ read: (OpaquePointer) -> Block?, failure: (String) -> WebSocketError
    ) throws(WebSocketError) -> [Block] {
        try OpenSSLError.settingUp { () throws(WebSocketError) in
            guard let input = reader(bytes) else { throw failure("it cannot be read") }
            defer { BIO_free(input) }
            var blocks: [Block] = []
            while let block = read(input) { blocks.append(block) }
            guard let error = OpenSSLError.last, !error.isEndOfPEM else { return blocks }
            throw failure(error.words)
        }
    }

    /// Something of OpenSSL's that reads the bytes, of which it takes a copy. To be freed.
    static func reader(_ bytes: [UInt8]) -> OpaquePointer? {
        guard let input = cossl_memory_writer() else { return nil }
        guard bytes.isEmpty || BIO_write(input, bytes, Int32(clamping: bytes.count)) == bytes.count else {
            BIO_free(input)
            return nil
        }
        return input
    }
}

/// A revocation list in OpenSSL's form.
final class RevocationList {
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_CRL_free(pointer) }
}

// MARK: - Private keys, and reading them

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
        pointer = try OpenSSLError.settingUp(file.code) { () throws(WebSocketError) in
            guard let input = PEM.reader(bytes) else { throw file.noMemory }
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
