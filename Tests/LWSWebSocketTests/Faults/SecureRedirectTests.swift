// Redirects to and from wss.

import HTTPTypes
import LWSEchoServer
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Redirects and TLS", .serialized)
struct SecureRedirectTests {
    private func following(
        _ count: Int = 1, _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws -> ClientConfiguration {
        try SecureFaults.configuration {
            $0.followRedirects = count
            change(&$0)
        }
    }

    /// A server without TLS that redirects everybody.
    private func redirecting(to location: String) throws -> RawServer {
        try RawServer { peer in
            // nginx asks over one connection after the other.
            guard (try? peer.readRequestHead()) != nil else { return }
            peer.send("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            peer.endOutput()
            peer.waitForEnd()
        }
    }

    @Test("from ws to wss are followed, and the server is verified", arguments: ["wss", "https"])
    func upgrade(_ scheme: String) throws {
        let target = try SecureFaults.pythonServer()
        defer { target.stop() }
        let source = try redirecting(to: "\(scheme)://localhost:\(target.port)/tls")
        defer { source.stop() }
        let client = try WebSocketClient(source.url(), configuration: following())
        #expect(client.isSecure)
        #expect(client.tlsInfo?.version == .tls13)
        #expect(try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage()).serverName == "localhost")
        try client.close()
    }

    @Test("from ws to wss fail where the certificate is not accepted")
    func distrusted() throws {
        for (leaf, words) in [
            (.expired, "has expired"), (.unknownRoot, "unknown root"), (.wrongHost, "wrong host"),
        ] as [(CertificateAuthority.ServerLeaf, String)] {
            let target = try SecureFaults.echoServer(leaf: leaf)
            defer { target.stop() }
            let source = try redirecting(to: target.url())
            defer { source.stop() }
            let error = failure { try WebSocketClient(source.url(), configuration: following()) }
            #expect(error?.code == .ssl)
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
            #expect(error?.httpResponse == nil)
        }
    }

    @Test("from wss to wss elsewhere are followed, without the client certificate and serverName")
    func elsewhere() throws {
        let authority = try CertificateAuthority.shared
        let identity = try authority.client(.ecdsa)
        let trust = try authority.clientTrustFile
        // It asks for a certificate without insisting.
        let upstream = try PythonWebSocketsServer()
        let target = try NginxServer(upstream: upstream.port, identity: authority.server(.good)) {
            $0.directives = [
                "ssl_client_certificate \(trust);", "ssl_verify_client optional;", "ssl_verify_depth 3;",
                "proxy_set_header X-Seen-Subject $ssl_client_s_dn;", "proxy_set_header X-Seen-Name $ssl_server_name;",
                "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection Upgrade;",
            ]
        }
        defer {
            target.stop()
            upstream.stop()
        }
        let plain = try redirecting(to: "https://localhost:\(target.port)/headers")
        let source = try NginxServer(upstream: plain.port, identity: authority.server(.wrongHost)) {
            $0.clientTrustFile = try? authority.clientTrustFile
        }
        defer {
            source.stop()
            plain.stop()
        }
        let configuration = try following {
            $0.secureSocket?.key = .pem(
                certFile: .file(identity.chainFile), keyFile: .file(identity.privateKeyFile))
            $0.secureSocket?.serverName = "other.test"
        }
        // The source insists on a certificate, and is verified by serverName.
        let client = try WebSocketClient(source.url(), configuration: configuration)
        #expect(client.isSecure)
        #expect(client.tlsInfo?.peerCertificates.first?.subject == "CN=localhost")
        let headers = try client.readTextMessage().lowercased()
        #expect(headers.contains("[\"x-seen-name\", \"localhost\"]"), "\(headers)")
        #expect(!headers.contains("cn=client"), "\(headers)")
        try client.close()
        // Who is asked directly gets both.
        let direct = try following {
            $0.secureSocket?.key = .pem(
                certFile: .file(identity.chainFile), keyFile: .file(identity.privateKeyFile))
        }
        let own = try WebSocketClient(
            "wss://localhost:\(target.port)/headers", configuration: direct)
        #expect(try own.readTextMessage().lowercased().contains("cn=client"))
        try own.close()
    }

    @Test("from wss to wss of the same origin keep both")
    func sameOrigin() throws {
        let authority = try CertificateAuthority.shared
        let identity = try authority.client(.ecdsa)
        let paths = Locked<[String]>([])
        let plain = try RawServer { peer in
            guard let head = try? peer.readRequestHead() else { return }
            paths.withLock { $0.append(String(head.split(separator: " ")[1])) }
            guard head.hasPrefix("GET /first") else {
                let key = RawConnection.field("Sec-WebSocket-Key", in: head) ?? ""
                peer.send(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: \(RawConnection.accept(for: key))\r\n\r\n")
                return peer.waitForEnd()
            }
            peer.send("HTTP/1.1 302 Found\r\nLocation: second\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let source = try NginxServer(upstream: plain.port, identity: authority.server(.wrongHost)) {
            $0.clientTrustFile = try? authority.clientTrustFile
        }
        defer {
            source.stop()
            plain.stop()
        }
        let configuration = try following {
            $0.secureSocket?.key = .pem(
                certFile: .file(identity.chainFile), keyFile: .file(identity.privateKeyFile))
            $0.secureSocket?.serverName = "other.test"
        }
        let client = try WebSocketClient(source.url("/first"), configuration: configuration)
        #expect(client.isOpen)
        #expect(paths.withLock { $0 } == ["/first", "/second"])
        try client.close(timeout: .zero)
    }

    @Test("from wss to ws are refused, in words", arguments: ["ws", "http"])
    func downgrade(_ scheme: String) throws {
        let contacts = Locked(0)
        let target = try RawServer { peer in
            contacts.withLock { $0 += 1 }
            _ = try? peer.acceptUpgrade()
        }
        let plain = try redirecting(to: "\(scheme)://127.0.0.1:\(target.port)/?token=s3cret")
        let source = try NginxServer(upstream: plain.port, identity: CertificateAuthority.shared.server(.good))
        defer {
            source.stop()
            plain.stop()
        }
        let error = failure { try WebSocketClient(source.url(), configuration: following(5)) }
        #expect(error?.code == .invalidHandshake)
        #expect(error?.description.contains("from wss: to ws:, which is not safe") == true)
        #expect(error?.description.contains("127.0.0.1") == true)
        #expect(error?.description.contains("s3cret") == false)
        #expect(error?.httpResponse?.status.code == 302)
        target.stop()
        #expect(contacts.withLock { $0 } == 0)
    }

    @Test("are followed within one handShakeTimeout, TLS included")
    func oneDeadline() throws {
        let silent = try RawServer.silent()
        defer { silent.stop() }
        let source = try redirecting(to: silent.secureURL())
        defer { source.stop() }
        let limit = Duration.milliseconds(400)
        let configuration = try following { $0.handShakeTimeout = limit }
        let kept = Punctuality(of: limit) {
            #expect(
                failure { try WebSocketClient(source.url(), configuration: configuration) }?.code
                    == .handshakeTimedOut)
        }
        #expect(kept.isKept, "\(kept)")
    }
}
