// Versions of TLS and cipher suites, and finding those that both sides have.

import TestSupport
import Testing

@testable import LWSWebSocket

extension SecureMatrix {
    @Suite("versions and ciphers")
    struct Ciphers {
        /// A suite by both its names, for a certificate with a key that it can be used with.
        struct Suite: Sendable, CustomTestStringConvertible {
            let standardName: String
            let name: String
            var leaf = CertificateAuthority.ServerLeaf.good
            var version = TLSVersion.tls12

            var testDescription: String { standardName }

            static let ofTLS12 = [
                Suite(
                    standardName: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", name: "ECDHE-ECDSA-AES128-GCM-SHA256"),
                Suite(
                    standardName: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", name: "ECDHE-ECDSA-AES256-GCM-SHA384"),
                Suite(
                    standardName: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                    name: "ECDHE-ECDSA-CHACHA20-POLY1305"),
                Suite(standardName: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", name: "ECDHE-ECDSA-AES256-SHA384"),
                Suite(
                    standardName: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", name: "ECDHE-RSA-AES128-GCM-SHA256",
                    leaf: .rsa),
                Suite(
                    standardName: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", name: "ECDHE-RSA-AES256-GCM-SHA384",
                    leaf: .rsa),
                Suite(
                    standardName: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", name: "ECDHE-RSA-CHACHA20-POLY1305",
                    leaf: .rsa),
            ]

            /// Those that OpenSSL has on by default.
            static let ofTLS13 = [
                "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
            ].map { Suite(standardName: $0, name: $0, version: .tls13) }
        }

        /// Expects that the suite is used where it alone is listed.
        private func expect(_ suite: Suite, with kind: SecurePeer.Kind, _ server: SecurePeer.Options) throws {
            for name in Set([suite.standardName, suite.name]) {
                let secureCase = SecureCase("") {
                    $0.server = server
                    $0.tls.ciphers = [name]
                }
                try secureCase.expectAccepted(by: kind) { client, _ in
                    #expect(client.tlsInfo?.cipherSuite == suite.standardName)
                    #expect(client.tlsInfo?.version == suite.version)
                }
            }
        }

        @Test("each suite is used by either name", arguments: SecurePeer.Kind.allCases, Suite.ofTLS12 + Suite.ofTLS13)
        func suites(kind: SecurePeer.Kind, suite: Suite) throws {
            try expect(suite, with: kind, SecurePeer.Options(leaf: suite.leaf))
        }

        @Test("suites that OpenSSL has off by default are used", arguments: [SecurePeer.Kind.echo, .nginx])
        func otherSuites(kind: SecurePeer.Kind) throws {
            var server = SecurePeer.Options()
            let suites = "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"
            server.suites = suites
            // OpenSSL 3.5 wants a weaker level of security for the second.
            let allowed = try OpenSSLCommand.run(["ciphers", "-s", "-tls1_3", "-ciphersuites", suites]).split {
                ":\n".contains($0)
            }
            try #require(allowed.first == "TLS_AES_128_CCM_SHA256")
            for name in allowed.map(String.init) {
                try expect(Suite(standardName: name, name: name, version: .tls13), with: kind, server)
            }
        }

        @Test("the order of the list is that of the client's preference, where the server leaves it the choice")
        func order() throws {
            let names = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
            for shift in names.indices {
                let list = Array(names[shift...] + names[..<shift])
                try SecureCase("") { $0.tls.ciphers = list }.expectAccepted(by: .nginx) { client, _ in
                    #expect(client.tlsInfo?.cipherSuite == list[0])
                }
            }
        }

        /// Versions that the client allows, those that the server does, and the one that comes of it.
        typealias Versions = (client: Set<TLSVersion>, server: Set<TLSVersion>, agreed: TLSVersion)

        static let versions: [Versions] = [
            ([.tls12, .tls13], [.tls12, .tls13], .tls13),
            ([.tls12], [.tls12, .tls13], .tls12),
            ([.tls13], [.tls12, .tls13], .tls13),
            ([.tls12, .tls13], [.tls12], .tls12),
            ([.tls12, .tls13], [.tls13], .tls13),
        ]

        @Test("the newest version of both sides is used", arguments: SecurePeer.Kind.allCases, versions)
        func newest(kind: SecurePeer.Kind, versions: Versions) throws {
            let secureCase = SecureCase("") {
                $0.tls.protocol = versions.client
                $0.server.versions = versions.server
            }
            try secureCase.expectAccepted(by: kind) { client, _ in
                #expect(client.tlsInfo?.version == versions.agreed)
            }
        }

        static let refused = [
            SecureCase(
                "no version, the server's being newer",
                says: "There is no shared protocol with localhost: it does not accept TLS 1.2"
            ) {
                $0.tls.protocol = [.tls12]
                $0.server.versions = [.tls13]
            },
            SecureCase(
                "no version, the server's being older",
                says: "There is no shared protocol with localhost: it does not accept TLS 1.3"
            ) {
                $0.tls.protocol = [.tls13]
                $0.server.versions = [.tls12]
            },
            SecureCase(
                "no version, by the list of ciphers",
                says: "no shared protocol with localhost: it does not accept TLS 1.3"
            ) {
                $0.tls.ciphers = ["TLS_AES_128_GCM_SHA256"]
                $0.server.versions = [.tls12]
            },
            SecureCase("no cipher of TLS 1.2", says: "There is no shared cipher with localhost", "cipher suites") {
                $0.tls.protocol = [.tls12]
                $0.tls.ciphers = ["ECDHE-ECDSA-AES128-GCM-SHA256"]
                $0.server.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"
            },
            SecureCase("no cipher for the certificate's key", says: "There is no shared cipher with localhost") {
                $0.tls.ciphers = ["ECDHE-RSA-AES128-GCM-SHA256"]
            },
            // A suite that servers have off by default.
            SecureCase("no cipher of TLS 1.3", says: "There is no shared cipher with localhost", "cipher suites") {
                $0.tls.ciphers = ["TLS_AES_128_CCM_SHA256"]
            },
        ]

        @Test("there is", arguments: SecurePeer.Kind.allCases, refused)
        func refuses(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            guard kind == .python else { return try secureCase.expectRefused(by: kind) }
            // asyncio ends TCP without the alert that OpenSSL has ready (asyncio/sslproto.py: _fatal_error).
            let words = [
                "localhost ended the connection during the TLS handshake",
                "there may be no shared protocol or no shared cipher",
            ]
            try secureCase.expectRefused(by: kind, anyOf: [words], isFinal: false)
        }

        @Test("there is no cipher of TLS 1.3, by the server's choice", arguments: [SecurePeer.Kind.echo, .nginx])
        func otherSuite(kind: SecurePeer.Kind) throws {
            let secureCase = SecureCase("", says: "There is no shared cipher with localhost") {
                $0.server.suites = "TLS_AES_128_GCM_SHA256"
                $0.tls.ciphers = ["TLS_AES_256_GCM_SHA384"]
            }
            try secureCase.expectRefused(by: kind)
        }
    }
}
