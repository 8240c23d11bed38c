// Pinned public keys.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A pinned public key")
struct SecurePinningTests {
    private let authority: CertificateAuthority
    private let wrong = PublicKeyPin(digest: [UInt8](repeating: 1, count: 32))
    init() throws { authority = try CertificateAuthority.shared }

    private func configuration(
        _ pins: Set<PublicKeyPin>, _ change: (inout ClientSecureSocket) -> Void = { _ in }
    ) throws -> ClientConfiguration {
        try SettingsFixture.configuration {
            $0.pinnedPublicKeys = pins
            change(&$0)
        }
    }

    @Test("may be that of any certificate in the chain, one of several", arguments: EchoServer.TLS.Version.allCases)
    func right(_ version: EchoServer.TLS.Version) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version] }
        defer { server.stop() }
        let leaf = try SettingsFixture.pin(of: authority.server(.good).certificateFile)
        #expect(try leaf.sha256 == authority.server(.good).publicKeyPin())
        // The root is not among what the server sends.
        let pins =
            try [leaf] + [authority.intermediateFile, authority.rootFile].map { try SettingsFixture.pin(of: $0) }
        for pin in pins {
            try SettingsFixture.visit(server.url(), configuration([pin]))
            try SettingsFixture.visit(server.url(), configuration([wrong, pin]))
        }
    }

    @Test(
        "that the server does not have is refused, and the server's is told",
        arguments: EchoServer.TLS.Version.allCases)
    func mismatch(_ version: EchoServer.TLS.Version) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version] }
        defer { server.stop() }
        let other = try SettingsFixture.pin(of: authority.server(.rsa).certificateFile)
        for pins in [[wrong], [wrong, other]] as [Set<PublicKeyPin>] {
            let error = SettingsFixture.refusal(server.url(), try configuration(pins))
            #expect(error?.code == .ssl && error?.isRetriable == false)
            let own = try authority.server(.good).publicKeyPinBase64()
            #expect(
                error?.description == "The public key of 127.0.0.1 is not one of those pinned in "
                    + "secureSocket.pinnedPublicKeys; its own is \(own)")
        }
    }

    @Test("counts without the host's name, and only then")
    func withoutName() throws {
        let server = try SettingsFixture.echoServer(.wrongHost)
        defer { server.stop() }
        let pin = try SettingsFixture.pin(of: authority.server(.wrongHost).certificateFile)
        let named = SettingsFixture.refusal(server.url(), try configuration([pin]))
        #expect(named?.code == .ssl && named?.description.contains("wrong host") == true)
        try SettingsFixture.visit(server.url(), configuration([pin]) { $0.verifyHostName = false })
        let other = SettingsFixture.refusal(server.url(), try configuration([wrong]) { $0.verifyHostName = false })
        #expect(other?.code == .ssl && other?.description.contains("pinned") == true)
    }

    @Test(
        "does not make up for a certificate that is not valid",
        arguments: [
            (CertificateAuthority.ServerLeaf.unknownRoot, "unknown root"), (.selfSigned, "self-signed"),
            (.expired, "has expired"),
        ])
    func untrusted(_ leaf: CertificateAuthority.ServerLeaf, _ words: String) throws {
        let server = try SettingsFixture.echoServer(leaf)
        defer { server.stop() }
        let pin = try SettingsFixture.pin(of: authority.server(leaf).certificateFile)
        let error = SettingsFixture.refusal(server.url(), try configuration([pin]))
        #expect(error?.code == .ssl && error?.description.contains(words) == true, "\(error?.description ?? "none")")
    }

    @Test("of a certificate that the server merely sends along does not count")
    func sentAlong() throws {
        let identity = try authority.server(.good)
        let folder = try TemporaryFolder("lws-test-pinning")
        let texts = try [identity.chainFile, authority.otherRootFile].map {
            try String(contentsOfFile: $0, encoding: .utf8)
        }
        let chain = try folder.write(texts.joined(), to: "chain.pem")
        let server = try SettingsFixture.echoServer { $0.certificateFile = chain }
        defer { server.stop() }
        let info = try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
        #expect(info.peerCertificates.count == 3)
        let pin = try SettingsFixture.pin(of: authority.otherRootFile)
        let error = SettingsFixture.refusal(server.url(), try configuration([pin]))
        #expect(error?.code == .ssl && error?.description.contains("pinned") == true)
    }

    @Test("holds for a resumed session, and for a session without it", arguments: EchoServer.TLS.Version.allCases)
    func resumed(_ version: EchoServer.TLS.Version) throws {
        let server = try SettingsFixture.echoServer { $0.protocols = [version] }
        defer { server.stop() }
        try SettingsFixture.visit(server.url(), SettingsFixture.configuration())
        let pin = try SettingsFixture.pin(of: authority.server(.good).certificateFile)
        #expect(try SettingsFixture.visit(server.url(), configuration([pin])).isResumed == false)
        #expect(try SettingsFixture.visit(server.url(), configuration([pin])).isResumed == true)
        #expect(SettingsFixture.refusal(server.url(), try configuration([wrong]))?.code == .ssl)
    }
}
