// Certificates, and reading them.

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
        try OpenSSLError.scope { () throws(WebSocketError) in
            guard let input = reader(bytes) else { return [] }
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
