// PKCS#12 stores (RFC 7292).

internal import COpenSSL

/// What a PKCS#12 store holds.
struct PKCS12Store {
    /// The private key with its certificate, in a key store.
    var key: PrivateKey?
    var certificate: Certificate?
    /// Further certificates.
    var others: [Certificate] = []

    /// - Throws: `ssl` naming the file: no PKCS#12, another password, or an algorithm that OpenSSL does not have.
    init(_ bytes: [UInt8], password: String, _ file: FieldFile) throws(WebSocketError) {
        try OpenSSLError.scope { () throws(WebSocketError) in
            guard let input = PEM.reader(bytes) else { throw file.error("cannot be read: out of memory") }
            defer { BIO_free(input) }
            guard let store = d2i_PKCS12_bio(input, nil) else {
                throw file.error("is not a PKCS#12 store", detail: OpenSSLError.first?.words)
            }
            defer { PKCS12_free(store) }
            // A store without a password is sealed with none, or with an empty one.
            let isOpen =
                password.isEmpty
                ? PKCS12_verify_mac(store, nil, 0) == 1 || PKCS12_verify_mac(store, "", 0) == 1
                : PKCS12_verify_mac(store, password, -1) == 1
            guard isOpen || PKCS12_mac_present(store) == 0 else {
                throw file.error("cannot be opened: wrong password", detail: OpenSSLError.last?.words)
            }
            var (key, certificate, others) = (OpaquePointer?.none, OpaquePointer?.none, OpaquePointer?.none)
            let status = PKCS12_parse(store, password, &key, &certificate, &others)
            defer { cossl_free_certificates(others) }
            guard status == 1 else {
                throw file.error(
                    "cannot be opened: it is damaged, or encrypted with another password or in a way that the installed "
                        + "OpenSSL does not have", detail: OpenSSLError.first?.words)
            }
            self.key = key.map { PrivateKey(owning: $0) }
            self.certificate = certificate.map { Certificate(owning: $0) }
            self.others = Certificate.list(others)
        }
    }

    /// All certificates.
    var certificates: [Certificate] { (certificate.map { [$0] } ?? []) + others }
}
