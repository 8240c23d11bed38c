// The servers that break TLS do it in the way they are asked to.

import TestSupport
import Testing

@Suite("TLS faults")
struct TLSFaultTests {
    @Test(
        "A connection is broken in each way", arguments: TLSFaultServer.Fault.allCases,
        [PeerTLSVersion.tls12, .tls13])
    func faults(fault: TLSFaultServer.Fault, version: PeerTLSVersion) throws {
        let server = try TLSFaultServer(identity: CertificateAuthority.shared.server(.good), version: version)
        let isGood = fault == .none || fault == .bytewise
        // The good ones would wait for more.
        guard !isGood else {
            let process = try PeerProcess(
                python: "tls_probe.py",
                [
                    "\(server.port)", fault.rawValue, "--trust", CertificateAuthority.shared.rootFile, "--send", "x",
                ])
            _ = try process.waitForLine("text: \(fault == .none ? "ok" : "bytewise")")
            return
        }
        let output = try TLSProbe.run(server.port, fault.rawValue, "--send", "x")
        #expect(output.hasPrefix("status: 101\ntext: ready\n"), "\(output)")
        let words: [String] =
            switch fault {
            case .truncate, .truncateFrame: ["EOF occurred", "unexpected eof"]
            case .reset: ["reset by peer"]
            case .closeNotify: ["end: close_notify"]
            case .garbage: ["wrong version number", "packet length too long", "record layer failure"]
            case .badRecord: ["decryption failed or bad record mac", "record layer failure"]
            case .alert: ["alert bad record mac"]
            case .alertOverflow: ["alert record overflow"]
            case .bytewise, .none: []
            }
        #expect(words.contains { output.contains($0) }, "\(output)")
        let ending = try server.waitForEnding()
        #expect(fault == .garbage || fault == .badRecord ? ending != "as asked for" : ending == "as asked for")
    }

    @Test("A handshake ends with the alert that is asked for", arguments: [UInt8(40), 80, 112])
    func handshakeAlerts(code: UInt8) throws {
        let authority = try CertificateAuthority.shared
        let server = try TLSFaultServer(identity: authority.server(.good), handshakeAlert: code)
        #expect(try handshake(server.port).contains("SSL alert number \(code)"))
        #expect(try server.waitForEnding().hasPrefix("handshake failed: "))
    }

    @Test("A client that does not trust the server is seen by the server")
    func distrust() throws {
        let authority = try CertificateAuthority.shared
        let server = try TLSFaultServer(identity: authority.server(.unknownRoot))
        #expect(try TLSProbe.run(server.port, "/").contains("unable to get local issuer certificate"))
        #expect(try server.waitForEnding().contains("ALERT_UNKNOWN_CA"))
    }

    @Test("Servers that are no TLS servers")
    func notTLS() throws {
        let plain = try RawServer.answeringPlainHTTP()
        defer { plain.stop() }
        #expect(plain.secureURL() == "wss://127.0.0.1:\(plain.port)/")
        #expect(try handshake(plain.port).contains("wrong version number"))
        let ending = try RawServer.endingInHandshake()
        defer { ending.stop() }
        #expect(try handshake(ending.port).contains("unexpected eof while reading"))
        let resetting = try RawServer.endingInHandshake(reset: true)
        defer { resetting.stop() }
        #expect(try !handshake(resetting.port).contains("BEGIN CERTIFICATE"))
        let alerting = try RawServer.alerting(71)
        defer { alerting.stop() }
        #expect(try handshake(alerting.port).contains("SSL alert number 71"))
        let silent = try RawServer.silent()
        defer { silent.stop() }
        let client = try RawClient(port: silent.port)
        client.connection.send([22, 3, 1, 0, 1, 1])
        #expect(client.connection.isQuiet(for: .milliseconds(100)))
    }

    private func handshake(_ port: Int) throws -> String {
        try OpenSSLCommand.attempt(["s_client", "-connect", "127.0.0.1:\(port)"]).output
    }
}
