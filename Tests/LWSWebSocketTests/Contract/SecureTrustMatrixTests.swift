// Whom a client trusts, in every form in which it can be told.

import TestSupport
import Testing

@testable import LWSWebSocket

extension SecureMatrix {
    @Suite("trust")
    struct Trust {
        static let accepted = [
            SecureCase("a PEM file") { $0.tls.cert = .pem(.file($0.authority.rootFile)) },
            SecureCase("PEM in memory") { $0.tls.cert = .pem(.bytes(try contents(of: $0.authority.rootFile))) },
            SecureCase("a directory") { $0.tls.cert = .directory(try $0.authority.trustFolder) },
            SecureCase("a hashed directory") { $0.tls.cert = .directory(try $0.authority.hashedTrustFolder) },
            SecureCase("a PKCS#12 store") {
                $0.tls.cert = .pkcs12(.file(try $0.authority.trustStoreFile()), password: "secret")
            },
            SecureCase("a PKCS#12 store in memory, of two roots, without a password") {
                let file = try $0.authority.trustStoreFile(password: "", includesOtherRoot: true)
                $0.tls.cert = .pkcs12(.bytes(try contents(of: file)), password: "")
            },
            SecureCase("a PKCS#12 store of two roots") {
                let file = try $0.authority.trustStoreFile(includesOtherRoot: true)
                $0.tls.cert = .pkcs12(.file(file), password: "secret")
            },
            SecureCase("a bundle, the root the second in it") {
                $0.tls.cert = .pem(.file(try $0.authority.bundleFile))
            },
            SecureCase("the intermediate alone, with a server that sends it") {
                $0.tls.cert = .pem(.file($0.authority.intermediateFile))
            },
            SecureCase("the intermediate alone, with a server that does not") {
                $0.tls.cert = .pem(.file($0.authority.intermediateFile))
                $0.server.withoutChain = true
            },
            SecureCase("a self-signed certificate as its own trust") {
                $0.server.leaf = .selfSigned
                $0.tls.cert = .pem(.file(try $0.authority.server(.selfSigned).certificateFile))
            },
            SecureCase("a server's certificate as its own trust, though another has issued it") {
                $0.tls.cert = .pem(.file(try $0.authority.server(.good).certificateFile))
            },
            SecureCase("none, with a self-signed certificate") {
                $0.server.leaf = .selfSigned
                ($0.tls.cert, $0.tls.enable) = (nil, false)
            },
            SecureCase("none, with a certificate for another host") {
                $0.server.leaf = .wrongHost
                ($0.tls.cert, $0.tls.enable) = (nil, false)
            },
            SecureCase("none, with a certificate that has expired, for another host") {
                ($0.server.leaf, $0.host) = (.expired, "other.test")
                ($0.tls.cert, $0.tls.enable) = (nil, false)
            },
        ]

        @Test("is given as", arguments: SecurePeer.Kind.allCases, accepted)
        func accepts(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectAccepted(by: kind)
        }

        static let refused = [
            SecureCase("self-signed", says: "The certificate of localhost is self-signed and not trusted") {
                $0.server.leaf = .selfSigned
            },
            SecureCase("another root", says: "leads to an unknown root", "(CN=Other Root) is not trusted") {
                $0.server.leaf = .unknownRoot
            },
            // What OpenSSL can tell of this one is the same: an issuer that it does not know, whose name it has.
            SecureCase(
                "a chain without the intermediate", says: "leads to an unknown root", "(CN=Test Intermediate)",
                "localhost does not send its certificate"
            ) {
                $0.server.withoutChain = true
            },
            SecureCase(
                "a chain, its root not trusted", says: "leads to an unknown root", "(CN=Test Root) is not trusted"
            ) {
                $0.tls.cert = .pem(.file(try $0.authority.otherRootFile))
            },
            SecureCase("another self-signed one trusted", says: "leads to an unknown root", "(CN=Test Root)") {
                $0.tls.cert = .pem(.file(try $0.authority.server(.selfSigned).certificateFile))
            },
            SecureCase("the system's roots", says: "leads to an unknown root", "(CN=Test Root)") {
                $0.tls.cert = nil
            },
        ]

        @Test("is wanting:", arguments: SecurePeer.Kind.allCases, refused)
        func refuses(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectRefused(by: kind)
        }

        @Test("names a root that the server sends and nobody trusts", arguments: SecurePeer.Kind.allCases)
        func sentRoot(kind: SecurePeer.Kind) throws {
            let folder = try TemporaryFolder("lws-test-chain")
            let authority = try CertificateAuthority.shared
            let chain = try contents(of: authority.server(.good).chainFile) + contents(of: authority.rootFile)
            let file = try folder.write(String(decoding: chain, as: UTF8.self), to: "chain.pem")
            let secureCase = SecureCase("", says: "leads to an unknown root (CN=Test Root), which is not trusted") {
                $0.server.certificateFile = file
                $0.tls.cert = .pem(.file(try $0.authority.otherRootFile))
            }
            try secureCase.expectRefused(by: kind)
            // Sending it does no harm where it is trusted.
            try SecureCase("") { $0.server.certificateFile = file }.expectAccepted(by: kind)
        }

        @Test("is the system's by default, and what is given takes its place", arguments: SecurePeer.Kind.allCases)
        func system(kind: SecurePeer.Kind) throws {
            // Where OpenSSL looks for the system's roots.
            try withEnvironment(["SSL_CERT_FILE": try CertificateAuthority.shared.rootFile]) {
                // What OpenSSL makes of settings is shared by clients; these are nobody else's.
                try SecureCase("") { ($0.tls.cert, $0.tls.sessionTimeout) = (nil, .seconds(1001)) }
                    .expectAccepted(by: kind)
                let secureCase = SecureCase("", says: "leads to an unknown root", "(CN=Test Root)") {
                    $0.tls.cert = .pem(.file(try $0.authority.otherRootFile))
                    $0.tls.sessionTimeout = .seconds(1001)
                }
                try secureCase.expectRefused(by: kind)
            }
        }
    }
}
