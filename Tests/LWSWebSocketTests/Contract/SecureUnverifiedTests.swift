// Clients that are told to verify nothing.

import Foundation
import LWSEchoServer
import Logging
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A client that verifies nothing")
struct SecureUnverifiedTests {
    private func configuration(_ log: RecordedLog) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.secureSocket = ClientSecureSocket()
        configuration.secureSocket?.enable = false
        configuration.logger = log.logger
        (configuration.readTimeout, configuration.handShakeTimeout) = (Timing.ages, Timing.ages)
        return configuration
    }

    private static let warning =
        "warning: The certificate of 127.0.0.1 is not verified, for secureSocket.enable is false"

    @Test(
        "takes any certificate",
        arguments: [
            CertificateAuthority.ServerLeaf.good, .expired, .notYetValid, .selfSigned, .unknownRoot, .wrongHost,
            .wrongPurpose, .revoked, .commonNameOnly,
        ])
    func any(_ leaf: CertificateAuthority.ServerLeaf) throws {
        let server = try SettingsFixture.echoServer(leaf)
        defer { server.stop() }
        let log = RecordedLog()
        try SettingsFixture.visit(server.url(), configuration(log))
        #expect(log.warnings == [Self.warning])
    }

    @Test("logs one warning, before it connects, and another one for another client")
    func once() throws {
        let server = try SettingsFixture.echoServer(.selfSigned)
        defer { server.stop() }
        let log = RecordedLog()
        let client = try WebSocketClient(unconnected: server.url(), configuration: configuration(log))
        #expect(log.warnings.isEmpty)
        try client.connect()
        try client.exchange()
        #expect(log.warnings == [Self.warning])
        let other = try WebSocketClient(server.url(), configuration: configuration(log))
        #expect(log.warnings == [Self.warning, Self.warning])
        try client.close()
        try other.close()
        #expect(log.warnings.count == 2)
    }

    @Test("logs one warning for all its attempts and connections")
    func reconnects() throws {
        let server = try SettingsFixture.echoServer(.selfSigned)
        defer { server.stop() }
        let log = RecordedLog()
        var configuration = configuration(log)
        configuration.retryConfig = WebSocketRetryConfig(interval: .milliseconds(10))
        let client = try WebSocketClient(server.url("/drop/1"), configuration: configuration)
        for number in 0..<4 {
            let reading = try Background { try client.readTextMessage() }
            try client.writeTextMessage("\(number)")
            #expect(try reading.value() == "\(number)")
            // The connection ends now, and the next write or read makes another.
            #expect(eventually { !client.isOpen })
        }
        #expect(log.warnings == [Self.warning])
        try? client.close(timeout: .seconds(1))

        let failures = RecordedLog()
        configuration.logger = failures.logger
        configuration.retryConfig = WebSocketRetryConfig(maxCount: 3, interval: .milliseconds(10))
        let url = "wss://127.0.0.1:\(try FreePort.find())/"
        #expect(failure { try WebSocketClient(url, configuration: configuration) }?.code == .connection)
        #expect(failures.warnings == [Self.warning])
    }

    @Test("is warned of once where a redirect leads to it")
    func redirect() throws {
        let last = try SettingsFixture.echoServer(.selfSigned)
        defer { last.stop() }
        let first = try RawServer { peer in
            _ = try? peer.readRequestHead()
            peer.send("HTTP/1.1 302 Found\r\nLocation: \(last.url())\r\nContent-Length: 0\r\n\r\n")
            peer.waitForEnd()
        }
        defer { first.stop() }
        let log = RecordedLog()
        var configuration = configuration(log)
        configuration.followRedirects = 1
        try SettingsFixture.visit(first.url(), configuration)
        #expect(log.warnings == [Self.warning])
    }

    @Test("is not warned of without TLS, and a client that verifies never is")
    func never() throws {
        let plain = try EchoServer()
        defer { plain.stop() }
        let log = RecordedLog()
        let client = try WebSocketClient(plain.url(), configuration: configuration(log))
        try client.exchange()
        try client.close()
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        for change in [
            { _ in }, { $0.verifyHostName = false }, { $0.shareSession = false },
        ] as [(inout ClientSecureSocket) -> Void] {
            var verified = try SettingsFixture.configuration(change)
            verified.logger = log.logger
            try SettingsFixture.visit(server.url(), verified)
        }
        var refused = ClientConfiguration()
        refused.logger = log.logger
        #expect(SettingsFixture.refusal(server.url(), refused)?.code == .ssl)
        #expect(log.warnings.isEmpty)
    }
}
