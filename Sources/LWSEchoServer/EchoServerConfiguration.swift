// What an echo server listens on and what it agrees to, its certificate and what its TLS is to be like.

extension EchoServer {
    /// What an echo server listens on and what it agrees to in a handshake.
    public struct Configuration: Sendable {
        /// The numeric address to listen on: `127.0.0.1`, `::1`, `0.0.0.0` and `::` are typical.
        public var host: String
        /// The TCP port; 0 takes any free one, which ``EchoServer/port`` then tells.
        public var port: Int
        /// The certificate to show, and what else TLS is to be like; `nil` listens without TLS.
        public var tls: TLS?
        /// The sub-protocols that are accepted. Of those that a client lists, the first that stands here is chosen:
        /// the client's order decides, because libwebsockets goes through the client's list. A client that lists
        /// none is connected without one; a client that lists only others is refused with status 400.
        public var subProtocols: [String]
        /// Whether permessage-deflate (RFC 7692) is agreed to when the client offers it. A libwebsockets that was built without
        /// extensions agrees to none.
        public var isCompressionEnabled: Bool

        /// 127.0.0.1, any free port, no TLS, no sub-protocols, compression allowed.
        public init() {
            self.init(host: "127.0.0.1")
        }

        /// A configuration with some of its values set.
        public init(
            host: String = "127.0.0.1", port: Int = 0, tls: TLS? = nil, subProtocols: [String] = [],
            isCompressionEnabled: Bool = true
        ) {
            self.host = host
            self.port = port
            self.tls = tls
            self.subProtocols = subProtocols
            self.isCompressionEnabled = isCompressionEnabled
        }
    }

    // MARK: - A server's certificate, and what its TLS is to be like

    /// A server's certificate, what it asks of its clients' certificates, and which TLS it speaks. Sessions can be
    /// resumed in every case.
    public struct TLS: Sendable {
        /// A version of TLS. Older ones are never accepted (RFC 8996).
        public enum Version: String, Sendable, CaseIterable {
            /// TLS 1.2 (RFC 5246).
            case tls12 = "1.2"
            /// TLS 1.3 (RFC 8446).
            case tls13 = "1.3"
        }

        /// A PEM file with the certificate, followed by its chain.
        public var certificateFile: String
        /// A PEM file with the private key.
        public var privateKeyFile: String
        /// What the private key is encrypted with; `nil` for one that is not. OpenSSL takes 1023 bytes of it.
        public var privateKeyPassword: String?
        /// A PEM file with the authorities that clients' certificates have to come from. A client without such a
        /// certificate is refused in the TLS handshake. `nil` asks clients for none.
        public var clientCertificateAuthority: String?
        /// The versions that are accepted, one at least.
        public var protocols: Set<Version>
        /// The ciphers of TLS 1.2, in OpenSSL's form and order: `ECDHE-RSA-AES128-GCM-SHA256:ECDHE+CHACHA20`. Names
        /// that OpenSSL does not know are skipped, but one it has to know. `nil` leaves them to OpenSSL.
        public var ciphers: String?
        /// The cipher suites of TLS 1.3, in order: `TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256`. Names that
        /// OpenSSL does not know are treated as in ``ciphers``. `nil` leaves them to OpenSSL.
        public var cipherSuites: String?

        /// Names the files, which are read when the server starts, and sets some of the other values.
        public init(
            certificateFile: String, privateKeyFile: String, privateKeyPassword: String? = nil,
            clientCertificateAuthority: String? = nil, protocols: Set<Version> = [.tls12, .tls13],
            ciphers: String? = nil, cipherSuites: String? = nil
        ) {
            self.certificateFile = certificateFile
            self.privateKeyFile = privateKeyFile
            self.privateKeyPassword = privateKeyPassword
            self.clientCertificateAuthority = clientCertificateAuthority
            self.protocols = protocols
            self.ciphers = ciphers
            self.cipherSuites = cipherSuites
        }
    }
}
