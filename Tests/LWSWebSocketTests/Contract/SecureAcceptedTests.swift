// What wss accepts, with three real servers.

import Foundation
import TestSupport
import Testing

@testable import LWSWebSocket

/// Every accepted connection exchanges a megabyte both ways.
@Suite("A wss connection is accepted", .serialized)
struct SecureAcceptedTests {
    private func expectExchange(
        _ peer: SecurePeer, host: String = "127.0.0.1", _ configuration: ClientConfiguration, _ what: String = "",
        _ check: (WebSocketClient) throws -> Void = { _ in }
    ) throws {
        do {
            let client = try WebSocketClient(peer.url(host: host), configuration: configuration)
            #expect(client.isSecure)
            #expect(try client.exchangesMegabyte(), "\(peer.kind) \(what)")
            try check(client)
            try client.close()
        } catch let error as WebSocketError {
            Issue.record("\(peer.kind) \(what): \(error.code): \(error) [\(error.libraryDetail ?? "")]")
        }
    }

    @Test("by every form of trust", arguments: SecurePeer.Kind.allCases)
    func trust(_ kind: SecurePeer.Kind) throws {
        let authority = try CertificateAuthority.shared
        let peer = try SecurePeer(kind)
        let root = Array(try Data(contentsOf: URL(fileURLWithPath: authority.rootFile)))
        let store = try authority.trustStoreFile(password: "open sesame")
        let storeBytes = Array(try Data(contentsOf: URL(fileURLWithPath: store)))
        let forms: [(String, TrustRoots)] = [
            ("PEM file", .pem(.file(authority.rootFile))), ("PEM bytes", .pem(.bytes(root))),
            ("bundle", .pem(.file(try authority.bundleFile))), ("directory", .directory(try authority.trustFolder)),
            ("hashed directory", .directory(try authority.hashedTrustFolder)),
            ("PKCS#12", .pkcs12(.file(store), password: "open sesame")),
            ("PKCS#12 bytes", .pkcs12(.bytes(storeBytes), password: "open sesame")),
            (
                "several in PKCS#12",
                .pkcs12(.file(try authority.trustStoreFile(includesOtherRoot: true)), password: "secret")
            ),
            ("intermediate alone", .pem(.file(authority.intermediateFile))),
            ("the certificate itself", .pem(.file(try authority.server(.good).certificateFile))),
        ]
        for (name, trust) in forms { try expectExchange(peer, .secure { $0.cert = trust }, name) }
    }

    @Test("with certificates of every kind", arguments: SecurePeer.Kind.allCases)
    func leaves(_ kind: SecurePeer.Kind) throws {
        for leaf in [CertificateAuthority.ServerLeaf.good, .rsa, .ed25519, .issuedByRoot] {
            let peer = try SecurePeer(kind, .init(leaf: leaf))
            for host in ["127.0.0.1", "localhost"] {
                try expectExchange(peer, host: host, .secure(), "\(leaf) \(host)")
            }
        }
        let wildcard = try SecurePeer(kind, .init(leaf: .wildcard))
        for name in ["a.example.test", "B.Example.TEST"] {
            try expectExchange(wildcard, .secure { $0.serverName = name }, name)
        }
        let address = try SecurePeer(kind, .init(leaf: .addressOnly))
        try expectExchange(address, .secure(), "address")
        try expectExchange(address, host: "localhost", .secure { $0.serverName = "::1" }, "serverName ::1")
        let selfSigned = try SecurePeer(kind, .init(leaf: .selfSigned))
        let own = try CertificateAuthority.shared.server(.selfSigned).certificateFile
        try expectExchange(selfSigned, .secure { $0.cert = .pem(.file(own)) }, "self-signed, trusted")
    }

    @Test("where verification is turned off, in part or whole", arguments: SecurePeer.Kind.allCases)
    func unverified(_ kind: SecurePeer.Kind) throws {
        let wrongHost = try SecurePeer(kind, .init(leaf: .wrongHost))
        try expectExchange(wrongHost, .secure { $0.verifyHostName = false }, "verifyHostName")
        try expectExchange(wrongHost, .secure { $0.serverName = "other.test" }, "serverName")
        for leaf in [CertificateAuthority.ServerLeaf.selfSigned, .expired, .wrongHost] {
            let peer = try SecurePeer(kind, .init(leaf: leaf))
            try expectExchange(
                peer,
                .secure {
                    $0.enable = false
                    $0.cert = nil
                }, "enable false, \(leaf)")
        }
    }

    @Test("in each version, and where one side has only one", arguments: SecurePeer.Kind.allCases)
    func versions(_ kind: SecurePeer.Kind) throws {
        for served in [Set([TLSVersion.tls12, .tls13]), [.tls12], [.tls13]] {
            let peer = try SecurePeer(kind, .init(versions: served))
            for allowed in [Set([TLSVersion.tls12, .tls13]), [.tls12], [.tls13]] {
                guard let shared = served.intersection(allowed).max() else { continue }
                try expectExchange(peer, .secure { $0.protocol = allowed }, "\(served) \(allowed)") {
                    #expect($0.tlsInfo?.version == shared)
                }
            }
        }
    }

    @Test("with each cipher suite, by the names of IANA and OpenSSL", arguments: SecurePeer.Kind.allCases)
    func ciphers(_ kind: SecurePeer.Kind) throws {
        let peer = try SecurePeer(kind)
        let ecdsa = [
            ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
            ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
            ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ]
        let modern = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
        for (name, other) in ecdsa + modern.map({ ($0, $0) }) {
            for given in Set([name, other]) {
                try expectExchange(peer, .secure { $0.ciphers = [given] }, given) {
                    #expect($0.tlsInfo?.cipherSuite == name)
                    #expect($0.tlsInfo?.version == (modern.contains(name) ? .tls13 : .tls12))
                }
            }
        }
        let rsa = try SecurePeer(kind, .init(leaf: .rsa, versions: [.tls12]))
        try expectExchange(rsa, .secure { $0.ciphers = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] }, "RSA") {
            #expect($0.tlsInfo?.cipherSuite == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
        }
    }

    @Test("with client certificates of every kind and form", arguments: SecurePeer.Kind.allCases)
    func clientCertificates(_ kind: SecurePeer.Kind) throws {
        let authority = try CertificateAuthority.shared
        for version in [TLSVersion.tls12, .tls13] {
            let peer = try SecurePeer(kind, .init(versions: [version], asksForCertificate: true))
            for leaf in [CertificateAuthority.ClientLeaf.ecdsa, .rsa, .ed25519] {
                for (name, key) in try keys(authority.client(leaf), isEd25519: leaf == .ed25519) {
                    try expectExchange(peer, .secure { $0.key = key }, "\(version) \(leaf) \(name)")
                }
            }
        }
    }

    private func keys(_ identity: TestIdentity, isEd25519: Bool) throws -> [(String, ClientKey)] {
        let chain = TLSSource.file(identity.chainFile)
        func bytes(_ path: String) throws -> TLSSource {
            .bytes(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        let store = try identity.pkcs12File(password: "pkcs")
        var keys: [(String, ClientKey)] = [
            ("PEM", .pem(certFile: chain, keyFile: .file(identity.privateKeyFile))),
            ("PEM bytes", .pem(certFile: try bytes(identity.chainFile), keyFile: try bytes(identity.privateKeyFile))),
            (
                "encrypted PKCS#8",
                .pem(
                    certFile: chain, keyFile: .file(try identity.encryptedKeyFile(password: "p8", format: .pkcs8)),
                    keyPassword: "p8")
            ),
            ("PKCS#12", .pkcs12(.file(store), password: "pkcs")),
            ("PKCS#12 bytes", .pkcs12(try bytes(store), password: "pkcs")),
        ]
        if !isEd25519 {
            let file = try identity.encryptedKeyFile(password: "old", format: .traditional)
            keys.append(("traditional", .pem(certFile: chain, keyFile: .file(file), keyPassword: "old")))
        }
        return keys
    }

    @Test("with and without compression", arguments: SecurePeer.Kind.allCases, [true, false])
    func compression(_ kind: SecurePeer.Kind, _ isOn: Bool) throws {
        let peer = try SecurePeer(kind)
        var configuration = try ClientConfiguration.secure()
        configuration.webSocketCompressionEnabled = isOn
        try expectExchange(peer, configuration)
    }

    @Test("which names the server and http/1.1 in its handshake")
    func handshake() throws {
        var tls = PythonWebSocketsServer.TLS(try CertificateAuthority.shared.server(.good))
        tls.protocols = ["http/1.1", "h2"]
        let server = try PythonWebSocketsServer(tls: tls)
        defer { server.stop() }
        func facts(_ host: String, _ serverName: String?) throws -> PythonWebSocketsServer.TLSFacts {
            let configuration = try ClientConfiguration.secure {
                $0.serverName = serverName
                $0.verifyHostName = serverName == nil
            }
            let client = try WebSocketClient(server.url("/tls", host: host), configuration: configuration)
            defer { try? client.close() }
            #expect(client.tlsInfo?.applicationProtocol == "http/1.1")
            return try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage())
        }
        let byName = try facts("localhost", nil)
        #expect(byName.serverName == "localhost")
        #expect(byName.protocol == "http/1.1")
        // An address is no name (RFC 6066, section 3).
        #expect(try facts("127.0.0.1", nil).serverName == nil)
        #expect(try facts("127.0.0.1", "elsewhere.test").serverName == "elsewhere.test")
    }
}
