// What SecuringConnections.md shows.

import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

extension Samples {
    @Suite("TLS")
    struct TLS {
        /// A server that shows a certificate of the tests' own authority.
        private func secureServer(_ authority: CertificateAuthority, asksClients: Bool = false) throws -> EchoServer {
            let identity = try authority.server(.good)
            return try EchoServer(
                EchoServer.Configuration(
                    tls: EchoServer.TLS(
                        certificateFile: identity.chainFile, privateKeyFile: identity.privateKeyFile,
                        clientCertificateAuthority: asksClients ? try authority.clientTrustFile : nil)))
        }

        @Test("a root of one's own, and what was negotiated")
        func ownRoot() throws {
            let authority = try CertificateAuthority.shared
            let server = try secureServer(authority)
            let url = server.url()
            // sample: own-root
            // where .file(authority.rootFile) is shown as "company-root.pem"
            var configuration = ClientConfiguration()
            var tls = ClientSecureSocket()
            tls.cert = .pem(.file(authority.rootFile))  // then it alone counts, not the system's roots
            configuration.secureSocket = tls

            let client = try WebSocketClient(url, configuration: configuration)
            // sample end
            // sample: tls-info
            if let tls = client.tlsInfo {
                print(tls.version, tls.cipherSuite, tls.isResumed ? "resumed" : "new")
                for certificate in tls.peerCertificates {
                    print(certificate.subject, "until", certificate.notAfter)
                }
            }
            // sample end
            let lines = Printed.take()
            #expect(lines.first?.hasPrefix("TLS 1.3 ") == true)
            #expect(lines.dropFirst().first?.hasPrefix("CN=localhost until ") == true)
        }

        @Test("a certificate of the client's")
        func clientCertificate() throws {
            let authority = try CertificateAuthority.shared
            let server = try secureServer(authority, asksClients: true)
            let url = server.url()
            let identity = try authority.client(.ecdsa)
            let encryptedKey = try identity.encryptedKeyFile(password: "secret")
            let password = "secret"
            var configuration = ClientConfiguration()
            configuration.secureSocket = ClientSecureSocket()
            configuration.secureSocket?.cert = .pem(.file(authority.rootFile))
            // sample: client-certificate
            // where .file(identity.chainFile) is shown as "client.pem"
            // where .file(encryptedKey) is shown as "client.key"
            configuration.secureSocket?.key = .pem(
                certFile: .file(identity.chainFile), keyFile: .file(encryptedKey), keyPassword: password)

            let client = try WebSocketClient(url, configuration: configuration)
            // sample end
            try client.writeTextMessage("it is me")
            #expect(try client.readTextMessage() == "it is me")
        }

        @Test("a pinned key")
        func pinning() throws {
            let authority = try CertificateAuthority.shared
            let server = try secureServer(authority)
            let url = server.url()
            let base64 = try authority.server(.good).publicKeyPinBase64()
            var configuration = ClientConfiguration()
            configuration.secureSocket = ClientSecureSocket()
            configuration.secureSocket?.cert = .pem(.file(authority.rootFile))
            // sample: pinning
            // where base64: base64 is shown as base64: "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
            if let pin = PublicKeyPin(base64: base64) {
                configuration.secureSocket?.pinnedPublicKeys = [pin]
            }
            let client = try WebSocketClient(url, configuration: configuration)
            // sample end
            #expect(client.isSecure && client.tlsInfo?.peerCertificates.first?.publicKeyPin.description == base64)
        }

        @Test("a certificate that nobody vouches for")
        func selfSigned() throws {
            let certificate = try SelfSignedCertificate()
            let server = try EchoServer(
                EchoServer.Configuration(
                    tls: EchoServer.TLS(
                        certificateFile: certificate.certificateFile, privateKeyFile: certificate.privateKeyFile)))
            let url = server.url()
            // sample: tls-error
            do {
                let client = try WebSocketClient(url)
                try client.close()
            } catch {
                print(error.code)  // ssl
                print(error)  // The certificate of 127.0.0.1 is self-signed and not trusted; …
            }
            // sample end
            let lines = Printed.take()
            #expect(lines.first == "ssl")
            #expect(lines.last?.hasPrefix("The certificate of 127.0.0.1 is self-signed and not trusted; ") == true)
        }
    }
}
