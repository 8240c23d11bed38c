// What wss refuses, and in which words, with three real servers.

import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A wss connection is refused", .serialized)
struct SecureRefusedTests {
    /// Connects in vain: the error is `ssl`, names the host, and has these words. The loop goes on.
    private func expectRefusal(
        _ peer: SecurePeer, host: String = "127.0.0.1", _ configuration: ClientConfiguration, _ words: String...,
        comment: String = "",
        isFinal: Bool = true
    ) {
        let error = failure { try WebSocketClient(peer.url(host: host), configuration: configuration) }
        let comment = Comment(
            "\(peer.kind) \(comment): \(error?.code.description ?? "none"): \(error?.description ?? "")")
        #expect(error?.code == .ssl, comment)
        #expect(error?.host == host, comment)
        if isFinal { #expect(error?.isRetriable == false, comment) }
        for word in words + [host] { #expect(error?.description.contains(word) == true, comment) }
    }

    private typealias Leaf = CertificateAuthority.ServerLeaf

    @Test("where its certificate is not acceptable", arguments: SecurePeer.Kind.allCases)
    func certificates(_ kind: SecurePeer.Kind) throws {
        let cases: [(Leaf, [String])] = [
            (.expired, ["has expired, on 20"]), (.notYetValid, ["not yet valid", "check this machine's clock"]),
            (.selfSigned, ["self-signed"]), (.unknownRoot, ["unknown root", "Other Root"]),
            (.wrongHost, ["wrong host", "other.test"]), (.commonNameOnly, ["wrong host", "no name at all"]),
            (.weakKey, ["too weak"]), (.wrongPurpose, ["not acceptable", "purpose"]),
        ]
        for (leaf, words) in cases {
            let peer = try SecurePeer(kind, .init(leaf: leaf))
            let host = leaf == .commonNameOnly ? "localhost" : "127.0.0.1"
            expectRefusal(peer, host: host, try .secure(), words[0], words.last ?? "", comment: "\(leaf)")
        }
    }

    @Test("where its authority is not trusted", arguments: SecurePeer.Kind.allCases)
    func trust(_ kind: SecurePeer.Kind) throws {
        let authority = try CertificateAuthority.shared
        let peer = try SecurePeer(kind)
        // The system's roots do not have it, and what is given stands alone.
        expectRefusal(peer, ClientConfiguration(), "unknown root", comment: "system")
        let other = try authority.otherRootFile
        expectRefusal(peer, try .secure { $0.cert = .pem(.file(other)) }, "unknown root", comment: "another root")
        let alone = try SecurePeer(kind, .init(withoutChain: true))
        expectRefusal(alone, try .secure(), "unknown root", "Test Intermediate", comment: "no intermediate")
    }

    @Test("where the certificate is for another name or address", arguments: SecurePeer.Kind.allCases)
    func names(_ kind: SecurePeer.Kind) throws {
        let wildcard = try SecurePeer(kind, .init(leaf: .wildcard))
        for name in ["b.a.example.test", "example.test", "a.example.tests", "127.0.0.1", "*.b.example.test"] {
            guard name != "*.b.example.test" else { continue }
            expectRefusal(
                wildcard, try .secure { $0.serverName = name }, "wrong host", "*.example.test", name, comment: name)
        }
        let address = try SecurePeer(kind, .init(leaf: .addressOnly))
        expectRefusal(address, host: "localhost", try .secure(), "wrong host", "127.0.0.1")
        expectRefusal(address, try .secure { $0.serverName = "127.0.0.2" }, "wrong host", "127.0.0.2")
        // The name of the certificate's subject, which does not count.
        expectRefusal(address, try .secure { $0.serverName = "address" }, "wrong host")
    }

    @Test("without a shared version", arguments: SecurePeer.Kind.allCases)
    func versions(_ kind: SecurePeer.Kind) throws {
        let old = try SecurePeer(kind, .init(versions: [.tls12]))
        expectRefusal(old, try .secure { $0.protocol = [.tls13] }, "no shared protocol", isFinal: kind != .python)
        let new = try SecurePeer(kind, .init(versions: [.tls13]))
        expectRefusal(new, try .secure { $0.protocol = [.tls12] }, "no shared protocol", isFinal: kind != .python)
    }

    @Test("without a shared cipher", arguments: SecurePeer.Kind.allCases)
    func ciphers(_ kind: SecurePeer.Kind) throws {
        let old = try SecurePeer(kind, .init(versions: [.tls12], ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256"))
        expectRefusal(
            old, try .secure { $0.ciphers = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] }, "no shared cipher",
            isFinal: kind != .python)
        // A suite for RSA, a certificate of another kind.
        let ecdsa = try SecurePeer(kind, .init(versions: [.tls12]))
        expectRefusal(
            ecdsa, try .secure { $0.ciphers = ["ECDHE-RSA-AES256-GCM-SHA384"] }, "no shared cipher",
            isFinal: kind != .python)
        guard kind != .python else { return }
        let new = try SecurePeer(kind, .init(versions: [.tls13], suites: "TLS_AES_128_GCM_SHA256"))
        expectRefusal(
            new, try .secure { $0.ciphers = ["TLS_AES_256_GCM_SHA384"] }, "no shared cipher", isFinal: kind != .python
        )
    }

    @Test(
        "without a client certificate that the server accepts", arguments: SecurePeer.Kind.allCases,
        [TLSVersion.tls12, .tls13])
    func clientCertificates(_ kind: SecurePeer.Kind, _ version: TLSVersion) throws {
        let authority = try CertificateAuthority.shared
        let peer = try SecurePeer(kind, .init(versions: [version], asksForCertificate: true))
        for _ in 0..<5 { expectRefusal(peer, try .secure(), "client certificate is required", "secureSocket.key") }
        for leaf in [CertificateAuthority.ClientLeaf.otherAuthority, .expired] {
            let identity = try authority.client(leaf)
            let key = ClientKey.pem(certFile: .file(identity.chainFile), keyFile: .file(identity.privateKeyFile))
            // The alert may be lost, and then nobody knows.
            expectRefusal(
                peer, try .secure { $0.key = key }, "client certificate", comment: "\(leaf)", isFinal: false)
        }
        let good = try authority.client(.ecdsa)
        let key = ClientKey.pem(certFile: .file(good.chainFile), keyFile: .file(good.privateKeyFile))
        let client = try WebSocketClient(peer.url(), configuration: .secure { $0.key = key })
        #expect(try client.exchangesMegabyte())
        try client.close()
    }

    @Test("where the certificate is in a revocation list", arguments: SecurePeer.Kind.allCases)
    func revoked(_ kind: SecurePeer.Kind) throws {
        let lists = try CertificateAuthority.shared.crlFile
        let revoked = try SecurePeer(kind, .init(leaf: .revoked))
        let good = try SecurePeer(kind)
        for mode in [CertValidation.Mode.soft, .hard] {
            let configuration = try ClientConfiguration.secure { $0.certValidation = .crl(.file(lists), mode) }
            expectRefusal(revoked, configuration, "revoked")
            let client = try WebSocketClient(good.url(), configuration: configuration)
            #expect(try client.exchangesMegabyte())
            try client.close()
        }
    }
}
