// What the tests of the settings of TLS begin with.

import Foundation
import LWSEchoServer
import LWSServiceLoop
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

enum SettingsFixture {
    /// A configuration that trusts the tests' root, with limits that no test reaches.
    static func configuration(
        _ change: (inout ClientSecureSocket) throws -> Void = { _ in }
    ) throws -> ClientConfiguration {
        var settings = ClientSecureSocket()
        settings.cert = .pem(.file(try CertificateAuthority.shared.rootFile))
        try change(&settings)
        var configuration = ClientConfiguration()
        configuration.secureSocket = settings
        (configuration.handShakeTimeout, configuration.readTimeout) = (Timing.ages, Timing.ages)
        return configuration
    }

    /// The echo server with a certificate of the tests' authority.
    static func echoServer(
        _ leaf: CertificateAuthority.ServerLeaf = .good, port: Int = 0,
        _ change: (inout EchoServer.TLS) -> Void = { _ in }
    ) throws -> EchoServer {
        let identity = try CertificateAuthority.shared.server(leaf)
        var tls = EchoServer.TLS(certificateFile: identity.chainFile, privateKeyFile: identity.privateKeyFile)
        change(&tls)
        return try EchoServer(EchoServer.Configuration(port: port, tls: tls))
    }

    /// The error of a connect that has to fail.
    static func refusal(_ url: String, _ configuration: ClientConfiguration) -> WebSocketError? {
        failure { try WebSocketClient(url, configuration: configuration) }
    }

    /// Connects, exchanges a message, closes. Returns what was negotiated.
    @discardableResult
    static func visit(_ url: String, _ configuration: ClientConfiguration) throws -> TLSInfo {
        let client = try WebSocketClient(url, configuration: configuration)
        try client.exchange()
        let info = try #require(client.tlsInfo)
        try client.close()
        return info
    }

    /// A visit, or where there are words for it, a refusal that begins with them and is not retriable.
    static func expect(
        _ url: String, _ configuration: ClientConfiguration, _ words: String?, _ comment: String = ""
    ) throws {
        guard let words else {
            try visit(url, configuration)
            return
        }
        let error = refusal(url, configuration)
        #expect(error?.code == .ssl && error?.isRetriable == false, "\(comment)")
        #expect(error?.description.hasPrefix(words) == true, "\(comment): \(error?.description ?? "none")")
    }

    /// The SHA-256 of the public key of a certificate in PEM, as the openssl command makes it.
    static func pin(of certificate: String) throws -> PublicKeyPin {
        let folder = try TemporaryFolder("lws-test-pin")
        let (pem, der, digest) = (folder.file("key.pem"), folder.file("key.der"), folder.file("digest"))
        try OpenSSLCommand.run(["x509", "-in", certificate, "-noout", "-pubkey", "-out", pem])
        try OpenSSLCommand.run(["pkey", "-pubin", "-in", pem, "-outform", "DER", "-out", der])
        try OpenSSLCommand.run(["dgst", "-sha256", "-binary", "-out", digest, der])
        return try #require(PublicKeyPin(sha256: Data(contentsOf: URL(fileURLWithPath: digest))))
    }

    static func bytes(of file: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: file))) }
}

extension WebSocketClient {
    /// Sends a text to a server that echoes, and reads it.
    func exchange(_ text: String = "over TLS") throws {
        try writeTextMessage(text)
        #expect(try readTextMessage() == text)
    }

    /// What Python's `/tls` says of this connection.
    func facts() throws -> PythonWebSocketsServer.TLSFacts { try .init(json: try readTextMessage()) }
}
