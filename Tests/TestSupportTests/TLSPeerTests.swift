// The peers that speak TLS do it as they are told.

import Foundation
import TestSupport
import Testing

@Suite("TLS peers")
struct TLSPeerTests {
    private let authority: CertificateAuthority

    init() throws { authority = try CertificateAuthority.shared }

    // MARK: nginx

    @Test("nginx passes a WebSocket connection on to the server behind it")
    func nginxPassesOn() throws {
        let server = try PythonWebSocketsServer()
        let nginx = try NginxServer(upstream: server.port, identity: authority.server(.good))
        try PythonWebSocketsClient.run(nginx.url(host: "localhost"), "--insecure-ca", authority.rootFile)
        nginx.stop()
        #expect(throws: PeerError.self) { try RawClient(port: nginx.port) }
    }

    @Test("nginx speaks the versions that it is told to", arguments: PeerTLSVersion.allCases)
    func nginxVersions(version: PeerTLSVersion) throws {
        let nginx = try NginxServer(upstream: FreePort.find(), identity: authority.server(.good)) {
            $0.versions = [version]
        }
        let output = try connect(nginx.port, "-cipher", "DEFAULT:@SECLEVEL=0")
        #expect(output.contains("Verify return code: 0 (ok)"), "\(output)")
        // TLSv1 is the beginning of the others' names.
        #expect(
            output.contains("New, \(version.rawValue), Cipher")
                || output.contains("Protocol  : \(version.rawValue)\n"))
    }

    @Test("nginx takes the cipher that it is told to")
    func nginxCiphers() throws {
        let tls12 = try NginxServer(upstream: FreePort.find(), identity: authority.server(.rsa)) {
            $0.versions = [.tls12]
            $0.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
        }
        #expect(try connect(tls12.port).contains("Cipher is ECDHE-RSA-AES128-GCM-SHA256"))
        let tls13 = try NginxServer(upstream: FreePort.find(), identity: authority.server(.good)) {
            $0.tls13Suites = "TLS_AES_128_GCM_SHA256"
        }
        #expect(try connect(tls13.port).contains("Cipher is TLS_AES_128_GCM_SHA256"))
    }

    @Test("nginx asks for a client's certificate")
    func nginxClientCertificate() throws {
        let server = try PythonWebSocketsServer()
        let trust = try authority.clientTrustFile
        let nginx = try NginxServer(upstream: server.port, identity: authority.server(.good)) {
            $0.clientTrustFile = trust
        }
        let client = try authority.client(.ecdsa)
        let with = try TLSProbe.run(
            nginx.port, "/text/1", "--certificate", client.certificateFile, "--key", client.privateKeyFile)
        #expect(with == "status: 101\ntext: message 0\n")
        #expect(try TLSProbe.run(nginx.port, "/text/1").hasPrefix("status: 400\n"))
        try nginx.waitForLog("client sent no required SSL certificate")
    }

    @Test("nginx resumes sessions, or not", arguments: [true, false])
    func nginxSessions(enabled: Bool) throws {
        let nginx = try NginxServer(upstream: FreePort.find(), identity: authority.server(.good)) {
            $0.versions = [.tls12]
            $0.ticketsEnabled = enabled
            $0.sessionCacheEnabled = enabled
        }
        #expect(try connect(nginx.port, "-reconnect").contains("Reused, TLSv1.2") == enabled)
    }

    @Test("nginx starts with every certificate", arguments: CertificateAuthority.ServerLeaf.allCases)
    func nginxLeaves(leaf: CertificateAuthority.ServerLeaf) throws {
        let nginx = try NginxServer(upstream: FreePort.find(), identity: authority.server(leaf))
        #expect(try connect(nginx.port, "-cipher", "DEFAULT:@SECLEVEL=0").contains("BEGIN CERTIFICATE"))
    }

    @Test("nginx says why it does not start")
    func nginxFailure() throws {
        let error = #expect(throws: PeerError.self) {
            _ = try NginxServer(upstream: 1, identity: authority.server(.good)) { $0.ciphers = "NO-SUCH-CIPHER" }
        }
        #expect(error?.description.contains("no cipher match") == true)
    }

    // MARK: Python

    @Test("Python's server tells what it has seen of TLS")
    func pythonFacts() throws {
        var tls = PythonWebSocketsServer.TLS(try authority.server(.good))
        tls.clientTrustFile = authority.rootFile
        tls.protocols = ["http/1.1", "other"]
        let server = try PythonWebSocketsServer(tls: tls)
        #expect(server.url(host: "localhost") == "wss://localhost:\(server.port)/echo")
        let client = try authority.client(.ecdsa)
        let facts = try TLSProbe.facts(
            server, "--certificate", client.chainFile, "--key", client.privateKeyFile, "--protocols", "x,http/1.1",
            "--twice")
        try #require(facts.count == 2)
        #expect(facts[0].version == "TLSv1.3")
        #expect(facts[0].cipher == "TLS_AES_256_GCM_SHA384")
        #expect(facts[0].serverName == "localhost")
        #expect(facts[0].protocol == "http/1.1")
        #expect(facts[0].subject == "CN=client")
        #expect(try facts[0].serial == client.serialNumber())
        #expect(facts.map(\.reused) == [false, true])
        let without = try TLSProbe.run(server.port, "/tls")
        #expect(without.contains("end: "), "\(without)")
    }

    @Test("Python's server keeps to its version and cipher, and to having no tickets")
    func pythonLimits() throws {
        var tls = PythonWebSocketsServer.TLS(try authority.server(.rsa))
        tls.newest = .tls12
        tls.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
        let old = try TLSProbe.facts(PythonWebSocketsServer(tls: tls))
        #expect(old[0].version == "TLSv1.2")
        #expect(old[0].cipher == "ECDHE-RSA-AES128-GCM-SHA256")
        #expect(old[0].subject == nil)
        tls = .init(try authority.server(.good))
        tls.ticketsEnabled = false
        #expect(try TLSProbe.facts(PythonWebSocketsServer(tls: tls), "--twice").map(\.reused) == [false, false])
    }

    @Test("Python's server speaks old versions where it is told to", arguments: [PeerTLSVersion.tls10, .tls11])
    func pythonOldVersions(version: PeerTLSVersion) throws {
        var tls = PythonWebSocketsServer.TLS(try authority.server(.weakKey))
        (tls.oldest, tls.newest) = (version, version)
        let server = try PythonWebSocketsServer(tls: tls)
        let output = try connect(server.port, "-cipher", "DEFAULT:@SECLEVEL=0")
        #expect(output.contains("Protocol  : \(version.rawValue)\n"), "\(output)")
    }

    @Test("Without TLS the same path says so")
    func pythonWithout() throws {
        let server = try PythonWebSocketsServer()
        let client = try RawClient(port: server.port)
        client.connection.send(
            "GET /tls HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        _ = try client.connection.readRequestHead()
        let facts = try PythonWebSocketsServer.TLSFacts(json: client.connection.readFrame().text)
        #expect(facts.version == nil && !facts.reused)
    }

    private func connect(_ port: Int, _ options: String...) throws -> String {
        try OpenSSLCommand.attempt(
            ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", authority.rootFile] + options
        ).output
    }
}
