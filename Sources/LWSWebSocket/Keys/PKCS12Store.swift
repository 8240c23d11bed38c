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
        let contents = try Self.opened(bytes, password: password, file) { (store, _) throws(WebSocketError) in
            var (key, certificate, others) = (OpaquePointer?.none, OpaquePointer?.none, OpaquePointer?.none)
            let status = PKCS12_parse(store, password, &key, &certificate, &others)
            defer { cossl_free_certificates(others) }
            guard status == 1 else { throw file.error(Self.unreadable, detail: OpenSSLError.first?.words) }
            return (
                key: key.map { PrivateKey(owning: $0) }, certificate: certificate.map { Certificate(owning: $0) },
                others: Certificate.list(others)
            )
        }
        (key, certificate, others) = contents
    }

    static let unreadable =
        "cannot be opened: it is damaged, or encrypted with another password or in a way that the installed OpenSSL "
        + "does not have"

    /// Runs `body` with a store whose password is right, and the form of that password which it is sealed with.
    static func opened<Result>(
        _ bytes: [UInt8], password: String, _ file: FieldFile,
        _ body: (_ store: OpaquePointer, _ password: String?) throws(WebSocketError) -> Result
    ) throws(WebSocketError) -> Result {
        try OpenSSLError.scope { () throws(WebSocketError) in
            guard let input = PEM.reader(bytes) else { throw file.error("cannot be read: out of memory") }
            defer { BIO_free(input) }
            guard let store = d2i_PKCS12_bio(input, nil) else {
                throw file.error("is not a PKCS#12 store", detail: OpenSSLError.first?.words)
            }
            defer { PKCS12_free(store) }
            guard PKCS12_mac_present(store) == 1 else { return try body(store, password.isEmpty ? nil : password) }
            // A store without a password is sealed with none, or with an empty one.
            let forms: [String?] = password.isEmpty ? [nil, ""] : [password]
            guard
                let form = forms.first(where: {
                    PKCS12_verify_mac(store, $0, Int32(clamping: $0?.utf8.count ?? 0)) == 1
                })
            else { throw file.error("cannot be opened: wrong password", detail: OpenSSLError.last?.words) }
            ERR_clear_error()
            return try body(store, form)
        }
    }

    /// All certificates.
    var certificates: [Certificate] { (certificate.map { [$0] } ?? []) + others }
}
