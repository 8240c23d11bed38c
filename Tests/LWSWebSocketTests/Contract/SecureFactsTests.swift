// What a client tells of TLS, against what the openssl command and the server say.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("What was negotiated")
struct SecureFactsTests {
    private let authority: CertificateAuthority
    init() throws { authority = try CertificateAuthority.shared }

    /// What `openssl x509` prints of a certificate, by the name before the "=".
    private func described(_ file: String) throws -> [String: String] {
        let output = try OpenSSLCommand.run([
            "x509", "-in", file, "-noout", "-subject", "-issuer", "-startdate", "-enddate", "-fingerprint", "-sha256",
            "-dateopt", "iso_8601", "-nameopt", "RFC2253,-esc_msb",
        ])
        var fields: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0].lowercased()] = String(parts[1]) }
        }
        return fields
    }

    private func expect(
        _ certificate: PeerCertificate, toBe file: String, at location: SourceLocation = #_sourceLocation
    ) throws {
        let fields = try described(file)
        #expect(certificate.subject == fields["subject"], sourceLocation: location)
        #expect(certificate.issuer == fields["issuer"], sourceLocation: location)
        let form = DateFormatter()
        form.locale = Locale(identifier: "en_US_POSIX")
        form.timeZone = TimeZone(secondsFromGMT: 0)
        form.dateFormat = "yyyy-MM-dd HH:mm:ss'Z'"
        #expect(form.string(from: certificate.notBefore) == fields["notbefore"], sourceLocation: location)
        #expect(form.string(from: certificate.notAfter) == fields["notafter"], sourceLocation: location)
        let digits = certificate.sha256Fingerprint.map { String(format: "%02X", $0) }.joined(separator: ":")
        #expect(digits == fields["sha256 fingerprint"], sourceLocation: location)
        #expect(try certificate.publicKeyPin == SettingsFixture.pin(of: file), sourceLocation: location)
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
        let base64 = lines.prefix { !$0.hasPrefix("-----") }.joined()
        #expect(Data(certificate.derEncoded) == Data(base64Encoded: base64), sourceLocation: location)
        #expect(certificate.description.contains(certificate.subject), sourceLocation: location)
    }

    @Test("is the whole chain of the server, as openssl describes it", arguments: EchoServer.TLS.Version.allCases)
    func chain(_ version: EchoServer.TLS.Version) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version] }
        defer { server.stop() }
        for isResumed in [false, true] {
            let info = try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
            #expect(info.isResumed == isResumed && info.peerCertificates.count == 2)
            try expect(info.peerCertificates[0], toBe: authority.server(.good).certificateFile)
            try expect(info.peerCertificates[1], toBe: authority.intermediateFile)
            #expect(
                info.peerCertificates[0].alternativeNames == [
                    .dns("localhost"), .ipAddress("127.0.0.1"), .ipAddress("::1"),
                ])
            #expect(info.peerCertificates[1].alternativeNames.isEmpty)
        }
    }

    @Test(
        "is a certificate with any kind of key",
        arguments: [CertificateAuthority.ServerLeaf.rsa, .ed25519, .issuedByRoot])
    func keys(_ leaf: CertificateAuthority.ServerLeaf) throws {
        let server = try SettingsFixture.echoServer(leaf)
        defer { server.stop() }
        let info = try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
        #expect(info.peerCertificates.count == (leaf == .issuedByRoot ? 1 : 2))
        try expect(info.peerCertificates[0], toBe: authority.server(leaf).certificateFile)
    }

    /// A certificate that vouches for itself, with these names.
    private func selfSigned(
        _ subject: String, _ names: String, _ folder: TemporaryFolder, days: String = "2"
    ) throws -> EchoServer.TLS {
        let (certificate, key) = (folder.file("certificate.pem"), folder.file("key.pem"))
        try OpenSSLCommand.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", days,
            "-utf8", "-subj", subject, "-addext", "subjectAltName=\(names)", "-keyout", key, "-out", certificate,
        ])
        return EchoServer.TLS(certificateFile: certificate, privateKeyFile: key)
    }

    @Test("has names with any letter and sign, and of every kind")
    func names() throws {
        let folder = try TemporaryFolder("lws-test-facts")
        let tls = try selfSigned(
            #"/C=DE/O=Zoë, Söhne \+ 東京 \\ "Co"; <x>/OU= #a/CN=bücher, ltd/emailAddress=a@b.test"#,
            "DNS:localhost,DNS:*.Example.TEST,IP:127.0.0.1,IP:2001:db8:0:0:0:0:0:1,IP:::ffff:192.0.2.1,"
                + "URI:https://a.test/b?c=d,email:me@example.test,RID:1.2.3.4,otherName:1.2.3.4;UTF8:other",
            folder, days: "20000")
        let server = try EchoServer(EchoServer.Configuration(tls: tls))
        defer { server.stop() }
        let configuration = try SettingsFixture.configuration { $0.cert = .pem(.file(tls.certificateFile)) }
        let info = try SettingsFixture.visit(server.url(), configuration)
        let certificate = try #require(info.peerCertificates.first)
        // The year is past 2049, so that its end is written in another form (RFC 5280, section 4.1.2.5).
        try expect(certificate, toBe: tls.certificateFile)
        #expect(certificate.notAfter.timeIntervalSince(certificate.notBefore) == 20000 * 86400)
        #expect(certificate.subject.contains(#"CN=bücher\, ltd"#) && certificate.subject.contains("東京"))
        #expect(certificate.subject == certificate.issuer)
        #expect(
            certificate.alternativeNames == [
                .dns("localhost"), .dns("*.Example.TEST"), .ipAddress("127.0.0.1"), .ipAddress("2001:db8::1"),
                .ipAddress("::ffff:192.0.2.1"), .uri("https://a.test/b?c=d"), .email("me@example.test"),
            ])
    }

    @Test("is the version and suite that the server says, too", arguments: [PeerTLSVersion.tls12, .tls13])
    func agreement(_ version: PeerTLSVersion) throws {
        var tls = PythonWebSocketsServer.TLS(try authority.server(.good))
        (tls.oldest, tls.newest, tls.protocols) = (version, version, ["h2", "http/1.1"])
        let server = try PythonWebSocketsServer(tls: tls)
        let suites = [
            "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_AES_128_GCM_SHA256": "TLS_AES_128_GCM_SHA256",
            "TLS_CHACHA20_POLY1305_SHA256": "TLS_CHACHA20_POLY1305_SHA256",
        ]
        for (name, standard) in suites where name.hasPrefix("TLS_") == (version == .tls13) {
            let configuration = try SettingsFixture.configuration { $0.ciphers = [standard] }
            let client = try WebSocketClient(server.url("/tls"), configuration: configuration)
            let (facts, info) = (try client.facts(), try #require(client.tlsInfo))
            #expect(facts.version == version.rawValue && facts.cipher == name)
            #expect(info.version == (version == .tls12 ? .tls12 : .tls13) && info.cipherSuite == standard)
            #expect(facts.protocol == "http/1.1" && info.applicationProtocol == "http/1.1")
            #expect(info.version.description == (version == .tls12 ? "TLS 1.2" : "TLS 1.3"))
            try client.close()
        }
    }

    @Test("is no application protocol where the server ignores the offer")
    func noProtocol() throws {
        for protocols in [[], ["h2"]] {
            var tls = PythonWebSocketsServer.TLS(try authority.server(.good))
            tls.protocols = protocols
            let server = try PythonWebSocketsServer(tls: tls)
            let info = try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
            #expect(info.applicationProtocol == nil)
        }
    }

    @Test("is nothing without TLS, and before a connection")
    func none() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let plain = try WebSocketClient(server.url(), configuration: SettingsFixture.configuration())
        #expect(plain.tlsInfo == nil && !plain.isSecure)
        try plain.close()
        let secure = try SettingsFixture.echoServer()
        defer { secure.stop() }
        let client = try WebSocketClient(unconnected: secure.url(), configuration: SettingsFixture.configuration())
        #expect(client.tlsInfo == nil && client.isSecure)
        try client.connect()
        #expect(client.tlsInfo?.version == .tls13)
        let before = client.tlsInfo
        try client.close()
        // What was, can still be asked.
        #expect(client.tlsInfo == nil || client.tlsInfo == before)
        let refused = try WebSocketClient(unconnected: secure.url())
        #expect(failure { try refused.connect() }?.code == .ssl)
        #expect(refused.tlsInfo == nil)
    }

    @Test("is the new connection's after a reconnect", arguments: EchoServer.TLS.Version.allCases)
    func reconnect(_ version: EchoServer.TLS.Version) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version] }
        defer { server.stop() }
        var configuration = try SettingsFixture.configuration()
        configuration.retryConfig = WebSocketRetryConfig(maxCount: 5, interval: .milliseconds(10))
        let client = try WebSocketClient(server.url("/drop/1"), configuration: configuration)
        #expect(client.tlsInfo?.isResumed == false)
        try client.exchange()
        // The server has ended TCP; a read finds out and connects again.
        configuration.readTimeout = nil
        let reading = try Background { try client.readTextMessage() }
        #expect(eventually { client.tlsInfo?.isResumed == true })
        #expect(client.isOpen && client.tlsInfo?.peerCertificates.count == 2)
        try client.writeTextMessage("again")
        #expect(try reading.value() == "again")
        try? client.close(timeout: .seconds(1))
    }

    @Test("says from a redirect on what the last server has")
    func redirect() throws {
        let last = try SettingsFixture.echoServer { $0.protocols = [.tls12] }
        defer { last.stop() }
        let first = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send("HTTP/1.1 302 Found\r\nLocation: \(last.url())\r\nContent-Length: 0\r\n\r\n")
            peer.waitForEnd()
        }
        defer { first.stop() }
        var configuration = try SettingsFixture.configuration()
        configuration.followRedirects = 1
        let client = try WebSocketClient(first.url(), configuration: configuration)
        #expect(client.tlsInfo?.version == .tls12 && client.isSecure)
        try client.close()
    }
}
