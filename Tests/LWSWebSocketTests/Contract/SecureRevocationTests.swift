// Revoked certificates: lists, and what servers staple.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A revocation list")
struct RevocationListTests {
    /// What a list may be, and what it lets through.
    enum List: String, CaseIterable {
        case whole, rootAlone, intermediateAlone, expired, unrelated, badSignature
    }

    private let authority: CertificateAuthority
    init() throws { authority = try CertificateAuthority.shared }

    private func source(_ list: List) throws -> FileSource {
        switch list {
        case .whole: return .file(try authority.crlFile)
        case .rootAlone: return .file(try authority.rootCRLFile)
        case .intermediateAlone: return .file(try authority.intermediateCRLFile)
        case .expired: return .file(try authority.expiredCRLFile)
        case .unrelated:
            let other = try CertificateAuthority()
            return try withExtendedLifetime(other) { .bytes(try contents(other.rootCRLFile)) }
        case .badSignature:
            return try .bytes(damaged(authority.intermediateCRLFile) + contents(authority.rootCRLFile))
        }
    }

    private func contents(_ file: String) throws -> [UInt8] { try SettingsFixture.bytes(of: file) }

    /// A list with another last byte, which is the signature's.
    private func damaged(_ file: String) throws -> [UInt8] {
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        var data = try #require(Data(base64Encoded: lines.dropFirst().dropLast().joined()))
        data[data.endIndex - 1] ^= 1
        return Array(
            "\(lines[0])\n\(data.base64EncodedString(options: .lineLength64Characters))\n\(lines[lines.count - 1])\n"
                .utf8)
    }

    /// Why a certificate is refused; `nil` where it is accepted.
    private func verdict(_ list: List, _ mode: CertValidation.Mode, isRevoked: Bool) -> String? {
        switch (list, mode, isRevoked) {
        case (.whole, _, true), (.intermediateAlone, .soft, true), (.expired, .soft, true):
            "The certificate of 127.0.0.1 has been revoked"
        // Which of its faults a chain is refused for is OpenSSL's choice: it begins with the leaf.
        case (.intermediateAlone, .hard, true): "The certificate of 127.0.0.1 has been revoked"
        case (.whole, _, false), (_, .soft, false), (.rootAlone, .soft, true), (.unrelated, .soft, true): nil
        // Nobody signed what it says.
        case (.badSignature, .soft, true): "The certificate of 127.0.0.1 has been revoked"
        case (.rootAlone, .hard, _), (.unrelated, .hard, _):
            "The certificate of 127.0.0.1 may have been revoked: secureSocket.certValidation has no list of its issuer"
        case (.intermediateAlone, .hard, false):
            "A certificate in the chain of 127.0.0.1 (CN=Test Intermediate) may have been revoked: "
                + "secureSocket.certValidation has no list of its issuer"
        case (.expired, .hard, _):
            "The certificate of 127.0.0.1 may have been revoked: the list of its issuer has expired"
        case (.badSignature, .hard, _): "The certificate of 127.0.0.1 is not acceptable: CRL signature failure"
        }
    }

    @Test(
        "decides, hard and soft", arguments: List.allCases,
        [EchoServer.TLS.Version.tls12, EchoServer.TLS.Version.tls13])
    func matrix(_ list: List, _ version: EchoServer.TLS.Version) throws {
        let source = try source(list)
        for isRevoked in [false, true] {
            let server = try SettingsFixture.echoServer(isRevoked ? .revoked : .good) { $0.protocols = [version] }
            defer { server.stop() }
            for mode in [CertValidation.Mode.soft, .hard] {
                let configuration = try SettingsFixture.configuration { $0.certValidation = .crl(source, mode) }
                try SettingsFixture.expect(
                    server.url(), configuration, verdict(list, mode, isRevoked: isRevoked), "\(list), \(isRevoked)")
            }
            // Who does not ask is not told.
            try SettingsFixture.visit(server.url(), try SettingsFixture.configuration())
        }
    }

    @Test("need not speak of an issuer that is trusted itself", arguments: [false, true])
    func anchor(_ isRevoked: Bool) throws {
        let server = try SettingsFixture.echoServer(isRevoked ? .revoked : .good)
        defer { server.stop() }
        for list in [List.intermediateAlone, .whole, .rootAlone] {
            let source = try source(list)
            let configuration = try SettingsFixture.configuration {
                $0.cert = .pem(.file(authority.intermediateFile))
                $0.certValidation = .crl(source)
            }
            let error = SettingsFixture.refusal(server.url(), configuration)
            switch (list, isRevoked) {
            case (.rootAlone, _): #expect(error?.description.contains("has no list of its issuer") == true)
            case (_, true): #expect(error?.description.contains("has been revoked") == true)
            default: #expect(error == nil, "\(list): \(error?.description ?? "")")
            }
        }
        // A server's own certificate needs a list, trusted or not.
        let source = try source(.rootAlone)
        let leaf = try authority.server(isRevoked ? .revoked : .good)
        let configuration = try SettingsFixture.configuration {
            $0.cert = .pem(.file(leaf.certificateFile))
            $0.certValidation = .crl(source)
        }
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("may have been revoked")
                == true)
    }

    @Test("counts in memory as in a file")
    func memory() throws {
        let server = try SettingsFixture.echoServer(.revoked)
        defer { server.stop() }
        let bytes = try contents(authority.crlFile)
        let configuration = try SettingsFixture.configuration { $0.certValidation = .crl(.bytes(bytes)) }
        #expect(
            SettingsFixture.refusal(server.url(), configuration)?.description.contains("has been revoked") == true)
    }

    @Test("does not vouch for anything else", arguments: [CertValidation.Mode.soft, .hard])
    func otherFaults(_ mode: CertValidation.Mode) throws {
        for (leaf, words) in [
            (CertificateAuthority.ServerLeaf.expired, "has expired"), (.wrongHost, "wrong host"),
            (.unknownRoot, "unknown root"), (.selfSigned, "self-signed"),
        ] {
            let server = try SettingsFixture.echoServer(leaf)
            defer { server.stop() }
            let source = try source(.whole)
            let configuration = try SettingsFixture.configuration { $0.certValidation = .crl(source, mode) }
            let error = SettingsFixture.refusal(server.url(), configuration)
            #expect(
                error?.code == .ssl && error?.description.contains(words) == true, "\(error?.description ?? "none")")
        }
    }
}

@Suite("A stapled OCSP response")
struct StapledResponseTests {
    private let authority: CertificateAuthority
    init() throws { authority = try CertificateAuthority.shared }

    /// What is stapled, and the words for it where it counts for nothing.
    private static let responses: [(CertificateAuthority.StapledResponse?, String?)] = [
        (nil, "it sends no OCSP response along"), (.good, nil), (.delegated, nil),
        (.unknown, "its issuer's OCSP service does not know it"),
        (.expired, "the OCSP response that it sends along is out of date"),
        (.notDelegated, "the OCSP response that it sends along is not signed by the certificate's issuer"),
        (.otherAuthority, "the OCSP response that it sends along is not signed by the certificate's issuer"),
        (.otherCertificate, "the OCSP response that it sends along is for another certificate"),
        (.revoked, nil),
    ]

    private func expect(_ url: String, _ mode: CertValidation.Mode, _ words: String?) throws {
        let configuration = try SettingsFixture.configuration { $0.certValidation = .ocspStapling(mode) }
        try SettingsFixture.expect(url, configuration, words)
    }

    @Test("is verified, hard and soft", arguments: responses, [PeerTLSVersion.tls12, .tls13])
    func matrix(_ response: (CertificateAuthority.StapledResponse?, String?), _ version: PeerTLSVersion) throws {
        let upstream = try EchoServer()
        defer { upstream.stop() }
        let identity = try authority.server(.good)
        let file = try response.0.map { try authority.stapleFile($0, for: identity) }
        let nginx = try NginxServer(upstream: upstream.port, identity: identity) {
            $0.versions = [version]
            $0.stapleFile = file
        }
        let revoked = "The certificate of 127.0.0.1 has been revoked, says the OCSP response that it sends along"
        // From OpenSSL 3.6 on a server keeps to itself what is for another certificate.
        let isKept = try response.0 == .otherCertificate && OpenSSLCommand.isAtLeast("3.6")
        let unknown = (isKept ? Self.responses[0] : response).1.map {
            "The certificate of 127.0.0.1 may have been revoked: \($0), and secureSocket.certValidation is hard"
        }
        let isRevoked = response.0 == .revoked
        try expect(nginx.url(), .hard, isRevoked ? revoked : unknown)
        try expect(nginx.url(), .soft, isRevoked ? revoked : nil)
        // Who does not ask is not told.
        try SettingsFixture.visit(nginx.url(), try SettingsFixture.configuration())
    }

    @Test("that somebody has changed counts for nothing", arguments: [PeerTLSVersion.tls12, .tls13])
    func changed(_ version: PeerTLSVersion) throws {
        let upstream = try EchoServer()
        defer { upstream.stop() }
        let identity = try authority.server(.good)
        let folder = try TemporaryFolder("lws-test-staple")
        var bytes = try SettingsFixture.bytes(of: authority.stapleFile(.expired, for: identity))
        // The last GeneralizedTime, "20260102030405Z", is that of the next update (RFC 6960, section 4.2.1).
        let place = try #require(
            bytes.indices.dropLast(16).last {
                bytes[$0] == 0x18 && bytes[$0 + 1] == 15 && bytes[$0 + 16] == UInt8(ascii: "Z")
            })
        bytes.replaceSubrange(place + 2..<place + 6, with: "2099".utf8)
        let file = folder.file("changed.ocsp")
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let nginx = try NginxServer(upstream: upstream.port, identity: identity) {
            $0.versions = [version]
            $0.stapleFile = file
        }
        let configuration = try SettingsFixture.configuration { $0.certValidation = .ocspStapling() }
        let error = SettingsFixture.refusal(nginx.url(), configuration)
        #expect(error?.code == .ssl && error?.description.contains("not signed by") == true)
        try expect(nginx.url(), .soft, nil)
    }

    @Test("is not needed again where a session is resumed", arguments: [PeerTLSVersion.tls12, .tls13])
    func resumed(_ version: PeerTLSVersion) throws {
        let upstream = try EchoServer()
        defer { upstream.stop() }
        let identity = try authority.server(.good)
        let file = try authority.stapleFile(.good, for: identity)
        let nginx = try NginxServer(upstream: upstream.port, identity: identity) {
            $0.versions = [version]
            $0.stapleFile = file
        }
        let configuration = try SettingsFixture.configuration { $0.certValidation = .ocspStapling() }
        #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed == false)
        #expect(try SettingsFixture.visit(nginx.url(), configuration).isResumed == true)
    }

    @Test("does not vouch for anything else", arguments: [CertValidation.Mode.soft, .hard])
    func otherFaults(_ mode: CertValidation.Mode) throws {
        let identity = try authority.server(.wrongHost)
        let file = try authority.stapleFile(.good, for: identity)
        let nginx = try NginxServer(upstream: FreePort.find(), identity: identity) { $0.stapleFile = file }
        let configuration = try SettingsFixture.configuration { $0.certValidation = .ocspStapling(mode) }
        let error = SettingsFixture.refusal(nginx.url(), configuration)
        #expect(error?.code == .ssl && error?.description.contains("wrong host") == true)
    }

    @Test("of a certificate that is trusted itself, without its issuer, is not to be had")
    func noIssuer() throws {
        let identity = try authority.server(.good)
        let file = try authority.stapleFile(.good, for: identity)
        let nginx = try NginxServer(
            upstream: FreePort.find(), identity: identity, certificateFile: identity.certificateFile
        ) { $0.stapleFile = file }
        let configuration = try SettingsFixture.configuration {
            $0.cert = .pem(.file(identity.certificateFile))
            $0.certValidation = .ocspStapling()
        }
        let error = SettingsFixture.refusal(nginx.url(), configuration)
        #expect(error?.code == .ssl && error?.description.contains("may have been revoked") == true)
    }
}
