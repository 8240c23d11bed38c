// The vhost's settings for TLS, and what lws and OpenSSL make of them.

import CLibWebSockets
import LWSServiceLoop

/// Tells lws what a server's TLS is to be like.
enum VhostTLS {
    /// Writes the settings into `info`. The strings live as long as `tables`; the password is not among them.
    static func fill(_ info: inout lws_context_creation_info, _ tls: EchoServer.TLS, _ tables: EchoTables) {
        info.options |= clws_option_ssl_global_init
        info.ssl_cert_filepath = tables.keep(tls.certificateFile)
        info.ssl_private_key_filepath = tables.keep(tls.privateKeyFile)
        if let file = tls.clientCertificateAuthority {
            // lws sets a session id context with this option (tls/openssl/openssl-server.c:
            // lws_tls_server_client_cert_verify_config), without which OpenSSL resumes no session of a certificate.
            info.options |= clws_option_client_certificate
            info.ssl_ca_filepath = tables.keep(file)
        }
        info.ssl_options_set = clws_no_tls_before_12
        if !tls.protocols.contains(.tls12) { info.ssl_options_set |= clws_no_tls_12 }
        if !tls.protocols.contains(.tls13) { info.ssl_options_set |= clws_no_tls_13 }
        if let ciphers = tls.ciphers { info.ssl_cipher_list = tables.keep(ciphers) }
        if let suites = tls.cipherSuites { info.tls1_3_plus_cipher_list = tables.keep(suites) }
    }

    /// Makes the vhost. Nothing keeps the password: lws asks for it while it loads the key.
    static func makeVhost(
        _ info: inout lws_context_creation_info, password: String?, _ held: borrowing HeldLoop
    ) -> OpaquePointer? {
        // Without one, OpenSSL asks for it on the terminal, and waits (crypto/pem/pem_lib.c: PEM_def_callback).
        (password ?? "").withCString { password in
            info.ssl_private_key_password = password
            defer { info.ssl_private_key_password = nil }
            return lws_create_vhost(held.context, &info)
        }
    }

    /// What OpenSSL does not take of these settings although lws does.
    static func refusal(of tls: EchoServer.TLS, by sslContext: UnsafeMutableRawPointer) -> EchoServerError? {
        guard clws_has_certificate_with_key(sslContext) else {
            return .unusableCertificate(certificateFile: tls.certificateFile, privateKeyFile: tls.privateKeyFile)
        }
        if let file = tls.clientCertificateAuthority, !clws_takes_authority(sslContext, file) {
            return .unusableClientAuthority(path: file)
        }
        if let ciphers = tls.ciphers, !clws_takes_ciphers(sslContext, ciphers) { return .unknownCiphers(ciphers) }
        // OpenSSL takes an empty list here, and then has no suite for TLS 1.3.
        if let suites = tls.cipherSuites, suites.isEmpty || !clws_takes_cipher_suites(sslContext, suites) {
            return .unknownCipherSuites(suites)
        }
        return nil
    }

    /// Why lws has made no vhost. It does not tell, so this is as exact as a look at the key's file allows.
    static func unusable(_ tls: EchoServer.TLS) -> EchoServerError {
        guard ListenCheck.isEncrypted(tls.privateKeyFile) else {
            return .unusableCertificate(certificateFile: tls.certificateFile, privateKeyFile: tls.privateKeyFile)
        }
        let reason =
            tls.privateKeyPassword == nil
            ? "it is encrypted, and there is no password"
            : "the password is not the right one, or '\(tls.certificateFile)' has no certificate for it"
        return .unusablePrivateKey(privateKeyFile: tls.privateKeyFile, reason: reason)
    }
}
