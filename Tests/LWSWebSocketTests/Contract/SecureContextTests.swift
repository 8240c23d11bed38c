// What clients with equal settings share, and files that change.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("What OpenSSL makes of the settings of TLS")
struct SecureContextTests {
    private let authority: CertificateAuthority
    private let folder: TemporaryFolder

    init() throws {
        authority = try CertificateAuthority.shared
        folder = try TemporaryFolder("lws-test-context")
    }

    private var isEmpty: Bool { eventually { TLSContextPool.shared.count == 0 } }

    /// Puts a file in the place of another, as tools that renew certificates do, or writes into it.
    private func replace(_ path: String, by other: String, inPlace: Bool) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: other))
        try data.write(to: URL(fileURLWithPath: path), options: inPlace ? [] : .atomic)
    }

    @Test("is shared by clients with equal settings, and goes with the last of them")
    func shared() throws {
        #expect(isEmpty)
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let pool = TLSContextPool.shared
        var first: WebSocketClient? = try WebSocketClient(
            server.url(), configuration: SettingsFixture.configuration())
        var second: WebSocketClient? = try WebSocketClient(
            server.url(), configuration: SettingsFixture.configuration())
        #expect(pool.count == 1)
        var other: WebSocketClient? = try WebSocketClient(
            server.url(), configuration: SettingsFixture.configuration { $0.shareSession = false })
        #expect(pool.count == 2)
        try first?.close()
        first = nil
        try second?.exchange()
        #expect(pool.count == 2)
        // Without a close.
        second = nil
        #expect(eventually { pool.count == 1 })
        try other?.exchange()
        other = nil
        #expect(isEmpty)
    }

    @Test("goes with a connect that fails, too")
    func failed() throws {
        #expect(isEmpty)
        let server = try SettingsFixture.echoServer(.expired)
        defer { server.stop() }
        #expect(SettingsFixture.refusal(server.url(), try SettingsFixture.configuration())?.code == .ssl)
        let missing = try SettingsFixture.configuration { $0.cert = .pem("/nonexistent.pem") }
        #expect(SettingsFixture.refusal(server.url(), missing)?.code == .ssl)
        #expect(isEmpty)
    }

    @Test("is made once where many connect at once")
    func concurrent() throws {
        #expect(isEmpty)
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let (url, configuration) = (server.url(), try SettingsFixture.configuration())
        let connects = try (0..<8).map { _ in
            try Background { try WebSocketClient(url, configuration: configuration) }
        }
        let clients = try connects.map { try $0.value() }
        #expect(TLSContextPool.shared.count == 1)
        for client in clients { try client.exchange() }
    }

    @Test("has a client certificate that was renewed, for the next client", arguments: [false, true])
    func renewedCertificate(_ inPlace: Bool) throws {
        var tls = PythonWebSocketsServer.TLS(try authority.server(.good))
        tls.clientTrustFile = try authority.clientTrustFile
        let server = try PythonWebSocketsServer(tls: tls)
        let (certificate, key) = (folder.file("client.pem"), folder.file("client.key"))
        let configuration = try SettingsFixture.configuration {
            $0.key = .pem(certFile: .file(certificate), keyFile: .file(key))
        }
        var clients: [WebSocketClient] = []
        for leaf in [CertificateAuthority.ClientLeaf.ecdsa, .rsa, .ed25519] {
            let identity = try authority.client(leaf)
            try replace(certificate, by: identity.chainFile, inPlace: inPlace)
            try replace(key, by: identity.privateKeyFile, inPlace: inPlace)
            for isResumed in [false, true] {
                let client = try WebSocketClient(server.url("/tls"), configuration: configuration)
                let facts = try client.facts()
                #expect(try facts.serial == identity.serialNumber() && facts.reused == isResumed, "\(leaf)")
                clients.append(client)
            }
        }
        // Those before go on with what they have.
        for client in clients { try client.exchange() }
        for client in clients { try client.close() }
    }

    @Test("has a root that was replaced, for the next client", arguments: [false, true])
    func replacedRoot(_ inPlace: Bool) throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let roots = folder.file("roots.pem")
        let configuration = try SettingsFixture.configuration { $0.cert = .pem(.file(roots)) }
        try replace(roots, by: authority.otherRootFile, inPlace: inPlace)
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("unknown root") == true)
        try replace(roots, by: authority.rootFile, inPlace: inPlace)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try client.exchange()
        try replace(roots, by: authority.otherRootFile, inPlace: inPlace)
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("unknown root") == true)
        try client.exchange()
        try client.close()
    }

    @Test("has a root that was added to a directory or taken away, for the next client")
    func directory() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let directory = folder.file("roots")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let configuration = try SettingsFixture.configuration { $0.cert = .directory(directory) }
        try replace("\(directory)/other.pem", by: authority.otherRootFile, inPlace: true)
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("unknown root") == true)
        try replace("\(directory)/root.pem", by: authority.rootFile, inPlace: true)
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try FileManager.default.removeItem(atPath: "\(directory)/root.pem")
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("unknown root") == true)
        try client.exchange()
        try client.close()
    }

    @Test("has a file that is gone no more, for the next client")
    func gone() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let roots = folder.file("roots.pem")
        try replace(roots, by: authority.rootFile, inPlace: true)
        let configuration = try SettingsFixture.configuration { $0.cert = .pem(.file(roots)) }
        let client = try WebSocketClient(server.url(), configuration: configuration)
        try FileManager.default.removeItem(atPath: roots)
        #expect(SettingsFixture.refusal(server.url(), configuration)?.description.contains("cannot be read") == true)
        try client.exchange()
        try client.close()
    }

    @Test("has the system's roots where none are given: not the tests', but for the variable that OpenSSL knows")
    func systemRoots() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        var configuration = ClientConfiguration()
        // Nothing at all, and nothing of trust.
        let error = SettingsFixture.refusal(server.url(), configuration)
        #expect(error?.code == .ssl && error?.description.contains("unknown root") == true)
        configuration.secureSocket = ClientSecureSocket()
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("unknown root") == true)
        // As X509_get_default_cert_file_env has it.
        #expect(isEmpty)
        let previous = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]
        defer { if let previous { setenv("SSL_CERT_FILE", previous, 1) } }
        try withEnvironment(["SSL_CERT_FILE": authority.rootFile]) {
            _ = try SettingsFixture.visit(server.url(), configuration)
        }
    }
}
