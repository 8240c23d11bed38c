// Certificates that the client shows, and servers that want others.

import TestSupport
import Testing

@testable import LWSWebSocket

extension SecureMatrix {
    @Suite("a client's certificate")
    struct ClientKeys {
        typealias Leaf = CertificateAuthority.ClientLeaf

        /// What a client can be given a certificate and its key as.
        enum Form: String, Sendable, CaseIterable, CustomTestStringConvertible {
            case pem = "PEM files"
            case pkcs8 = "an encrypted key (PKCS#8)"
            case traditional = "an encrypted key of the traditional form"
            case pkcs12 = "a PKCS#12 store"
            case bytes = "PEM in memory"
            case encryptedBytes = "an encrypted key in memory"
            case pkcs12Bytes = "a PKCS#12 store in memory"

            var testDescription: String { rawValue }

            func key(_ identity: TestIdentity) throws -> ClientKey {
                let chain = identity.chainFile
                switch self {
                case .pem: return .pem(certFile: .file(chain), keyFile: .file(identity.privateKeyFile))
                case .pkcs8, .traditional:
                    let file = try identity.encryptedKeyFile(format: self == .pkcs8 ? .pkcs8 : .traditional)
                    return .pem(certFile: .file(chain), keyFile: .file(file), keyPassword: "secret")
                case .pkcs12: return .pkcs12(.file(try identity.pkcs12File()), password: "secret")
                case .bytes:
                    return .pem(
                        certFile: .bytes(try contents(of: chain)),
                        keyFile: .bytes(try contents(of: identity.privateKeyFile)))
                case .encryptedBytes:
                    let key = try contents(of: identity.encryptedKeyFile())
                    return .pem(
                        certFile: .bytes(try contents(of: chain)), keyFile: .bytes(key), keyPassword: "secret")
                case .pkcs12Bytes: return .pkcs12(.bytes(try contents(of: identity.pkcs12File())), password: "secret")
                }
            }
        }

        static let accepted = [Leaf.rsa, .ecdsa, .ed25519].flatMap { leaf in
            // There is no traditional form of Ed25519.
            Form.allCases.filter { leaf != .ed25519 || $0 != .traditional }.map { form in
                SecureCase("\(leaf) as \(form.rawValue)") {
                    // It knows the root alone, so that the client has to send the intermediate.
                    $0.server.clientTrustFile = $0.authority.rootFile
                    $0.tls.key = try form.key($0.authority.client(leaf))
                }
            }
        }

        @Test("is accepted:", arguments: SecurePeer.Kind.allCases, accepted + accepted.map { $0.limited(to: .tls12) })
        func accepts(kind: SecurePeer.Kind, secureCase: SecureCase) throws {
            try secureCase.expectAccepted(by: kind)
        }

        @Test(
            "without its chain is accepted by a server that knows the intermediate",
            arguments: SecurePeer.Kind.allCases)
        func withoutChain(kind: SecurePeer.Kind) throws {
            let secureCase = SecureCase("") {
                $0.server.clientTrustFile = try $0.authority.clientTrustFile
                let identity = try $0.authority.client(.ecdsa)
                $0.tls.key = .pem(
                    certFile: .file(identity.certificateFile), keyFile: .file(identity.privateKeyFile))
            }
            try secureCase.expectAccepted(by: kind)
        }

        @Test("that no server asks for is not shown, and does no harm", arguments: SecurePeer.Kind.allCases)
        func unasked(kind: SecurePeer.Kind) throws {
            let secureCase = SecureCase("") { $0.tls.key = try Form.pem.key($0.authority.client(.ecdsa)) }
            try secureCase.expectAccepted(by: kind)
        }

        @Test("is the one that Python sees", arguments: [Leaf.rsa, .ecdsa, .ed25519], [TLSVersion.tls12, .tls13])
        func seen(leaf: Leaf, version: TLSVersion) throws {
            let secureCase = SecureCase("") {
                $0.path = "/tls"
                $0.server.clientTrustFile = $0.authority.rootFile
                $0.tls.key = try Form.pkcs12.key($0.authority.client(leaf))
            }
            try secureCase.limited(to: version).expectAccepted(by: .python) { client, attempt in
                let facts = try PythonWebSocketsServer.TLSFacts(json: client.readTextMessage())
                #expect(facts.subject == "CN=client")
                #expect(try facts.serial == attempt.authority.client(leaf).serialNumber())
            }
        }

        // MARK: - Refused

        /// What a server has against a client.
        struct Fault: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let leaf: Leaf?
            let version: TLSVersion
            /// The alert of a server that refuses the handshake, in OpenSSL's words.
            let alert: String

            static let all = [TLSVersion.tls12, .tls13].flatMap { version in
                [
                    Fault(testDescription: "none, \(version)", leaf: nil, version: version, alert: ""),
                    Fault(
                        testDescription: "of another authority, \(version)", leaf: .otherAuthority, version: version,
                        alert: "unknown CA"),
                    Fault(
                        testDescription: "expired, \(version)", leaf: .expired, version: version,
                        alert: "certificate expired"),
                ]
            }
        }

        @Test("is wanting:", arguments: SecurePeer.Kind.allCases, Fault.all)
        func refuses(kind: SecurePeer.Kind, fault: Fault) throws {
            let secureCase = SecureCase("") { attempt in
                attempt.server.clientTrustFile = attempt.authority.rootFile
                attempt.tls.key = try fault.leaf.map { try Form.pem.key(attempt.authority.client($0)) }
            }
            let required = "A client certificate is required: localhost asked for one; "
            let refused = ["localhost does not accept the client certificate", fault.alert]
            // The alert of a server that ends TCP with the request unread is lost; asyncio sends none at all.
            let ended = ["localhost asked for a client certificate and ended the connection; it may not accept"]
            let alternatives =
                switch (fault.leaf, kind) {
                case (nil, _): [[required + "give one in secureSocket.key"]]
                // It does not say which of its reasons it is.
                case (_, .nginx): [[required + "the one in secureSocket.key is not among those that it accepts"]]
                case (_, .python): [ended]
                case (_, .echo): fault.version == .tls12 ? [refused] : [refused, ended]
                }
            try secureCase.limited(to: fault.version).expectRefused(
                by: kind, anyOf: alternatives, isFinal: kind == .nginx || fault.leaf == nil && fault.version == .tls12
            )
        }
    }
}
