// Connections over TLS, and what they have in common.

import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A wss connection")
struct SecureConnectionTests {
    private func server(_ certificate: SelfSignedCertificate) throws -> EchoServer {
        try EchoServer(
            EchoServer.Configuration(
                tls: .init(certificateFile: certificate.certificateFile, privateKeyFile: certificate.privateKeyFile)))
    }

    @Test("exchanges a megabyte both ways, and tells what was negotiated")
    func exchange() throws {
        let certificate = try SelfSignedCertificate()
        let server = try server(certificate)
        defer { server.stop() }
        var configuration = ClientConfiguration()
        configuration.secureSocket = ClientSecureSocket()
        configuration.secureSocket?.cert = .pem(.file(certificate.certificateFile))
        let client = try WebSocketClient(server.url(), configuration: configuration)
        #expect(client.isSecure)
        #expect(client.tlsInfo?.version == .tls13)
        #expect(client.tlsInfo?.peerCertificates.first?.subject == "CN=localhost")
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        try client.writeBinaryMessage(bytes)
        #expect(try client.readBinaryMessage() == bytes)
        try client.close()
    }

    @Test("is refused without a trusted root, or for another name")
    func refused() throws {
        let certificate = try SelfSignedCertificate()
        let server = try server(certificate)
        defer { server.stop() }
        let untrusted = failure { try WebSocketClient(server.url()) }
        #expect(untrusted?.code == .ssl)
        #expect(untrusted?.description.contains("self-signed") == true)
        var configuration = ClientConfiguration()
        configuration.secureSocket = ClientSecureSocket()
        configuration.secureSocket?.cert = .pem(.file(certificate.certificateFile))
        configuration.secureSocket?.serverName = "other.test"
        let misnamed = failure { try WebSocketClient(server.url(), configuration: configuration) }
        #expect(misnamed?.code == .ssl)
        #expect(misnamed?.description.contains("wrong host") == true)
    }
}
