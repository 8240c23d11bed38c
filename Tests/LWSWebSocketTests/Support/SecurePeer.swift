// The three real servers that speak TLS, started alike.

import LWSEchoServer
import TestSupport

@testable import LWSWebSocket

/// An echo server over TLS.
final class SecurePeer: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// The bundled server: libwebsockets on OpenSSL.
        case echo
        /// nginx ends TLS in front of the bundled server.
        case nginx
        /// Python's `websockets` over its `ssl`.
        case python

        /// A sanitizer looks at this side, for which one server is as good as three.
        static let allCases: [Kind] = Sanitizer.isActive ? [.echo] : [.echo, .nginx, .python]
    }

    /// What its TLS is like.
    struct Options: Sendable, Hashable {
        var leaf = CertificateAuthority.ServerLeaf.good
        /// Sends its certificate alone, without the intermediate.
        var withoutChain = false
        /// Sends this instead: PEM, the leaf first.
        var certificateFile: String?
        var versions: Set<TLSVersion> = [.tls12, .tls13]
        /// Of TLS 1.2, by OpenSSL's names.
        var ciphers: String?
        /// Of TLS 1.3; Python's server cannot be told.
        var suites: String?
        /// Clients have to show a certificate of the test authority.
        var asksForCertificate = false
        /// The roots that those have to come from (PEM), in place of the authority's root and intermediate.
        var clientTrustFile: String?
    }

    let kind: Kind
    let port: Int
    private let echo: EchoServer?
    private let nginx: NginxServer?
    private let python: PythonWebSocketsServer?

    init(_ kind: Kind, _ options: Options = Options()) throws {
        self.kind = kind
        let authority = try CertificateAuthority.shared
        let identity = try authority.server(options.leaf)
        let chain = options.withoutChain ? identity.certificateFile : identity.chainFile
        let certificate = options.certificateFile ?? chain
        let trust = try options.clientTrustFile ?? (options.asksForCertificate ? authority.clientTrustFile : nil)
        switch kind {
        case .echo:
            let server = try EchoServer(
                EchoServer.Configuration(
                    tls: EchoServer.TLS(
                        certificateFile: certificate, privateKeyFile: identity.privateKeyFile,
                        clientCertificateAuthority: trust,
                        protocols: Set(options.versions.map { $0 == .tls12 ? .tls12 : .tls13 }),
                        // As weak as the weakest of its certificates, so that a refusal is the client's.
                        ciphers: options.ciphers.map { $0 + ":@SECLEVEL=0" } ?? "DEFAULT:@SECLEVEL=0",
                        cipherSuites: options.suites)))
            (echo, nginx, python, port) = (server, nil, nil, server.port)
        case .nginx:
            let upstream = try EchoServer()
            let server = try NginxServer(upstream: upstream.port, identity: identity, certificateFile: certificate) {
                $0.versions = Set(options.versions.map { $0 == .tls12 ? .tls12 : .tls13 })
                if let ciphers = options.ciphers { $0.ciphers = ciphers }
                $0.tls13Suites = options.suites
                $0.clientTrustFile = trust
            }
            (echo, nginx, python, port) = (upstream, server, nil, server.port)
        case .python:
            var tls = PythonWebSocketsServer.TLS(identity)
            tls.certificateFile = certificate
            tls.oldest = options.versions.contains(.tls12) ? .tls12 : .tls13
            tls.newest = options.versions.contains(.tls13) ? .tls13 : .tls12
            if let ciphers = options.ciphers { tls.ciphers = ciphers }
            tls.clientTrustFile = trust
            tls.protocols = ["http/1.1"]
            let server = try PythonWebSocketsServer(compression: true, tls: tls)
            (echo, nginx, python, port) = (nil, nil, server, server.port)
        }
    }

    deinit {
        nginx?.stop()
        python?.stop()
        echo?.stop()
    }

    func url(_ path: String = "/echo", host: String = "127.0.0.1") -> String { "wss://\(host):\(port)\(path)" }
}

extension ClientConfiguration {
    /// One that trusts the test authority.
    static func secure(_ change: (inout ClientSecureSocket) throws -> Void = { _ in }) throws -> ClientConfiguration {
        var settings = ClientSecureSocket()
        settings.cert = .pem(.file(try CertificateAuthority.shared.rootFile))
        try change(&settings)
        var configuration = ClientConfiguration()
        configuration.secureSocket = settings
        // Python's server sends a message in one frame.
        configuration.maxFrameSize = 2 << 20
        return configuration
    }
}

extension WebSocketClient {
    /// A megabyte there and back, in both kinds of message.
    func exchangesMegabyte() throws -> Bool {
        let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        try writeBinaryMessage(bytes)
        guard try readBinaryMessage() == bytes else { return false }
        try writeTextMessage("text")
        return try readTextMessage() == "text"
    }
}
