// Secrets among the settings of TLS show nowhere.

import Foundation
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A secret among the settings of TLS")
struct SecureSecretsTests {
    private static let secret = "s3cr3t-pa55word"

    private func shows(_ text: String) -> Bool { Secrets([Self.secret]).shown(in: text) != nil }

    private static let values: [(String, @Sendable () -> Any)] = {
        let source = FileSource.bytes(Array(secret.utf8))
        let keys = [
            ClientKey.pem(certFile: "c", keyFile: source, keyPassword: secret),
            ClientKey.pem(certFile: source, keyFile: "k", keyPassword: secret),
            ClientKey.pkcs12(source, password: secret), ClientKey.pkcs12("p", password: secret),
        ]
        let roots = [TrustRoots.pkcs12(source, password: secret), .pkcs12("p", password: secret), .pem(source)]
        var values: [(String, @Sendable () -> Any)] = [("FileSource", { source })]
        values += keys.map { key in ("ClientKey", { key }) }
        values += roots.map { roots in ("TrustRoots", { roots }) }
        for key in keys {
            for roots in roots {
                var settings = ClientSecureSocket()
                (settings.key, settings.cert, settings.certValidation) = (key, roots, .crl(source))
                let secured = settings
                var configuration = ClientConfiguration()
                configuration.secureSocket = secured
                let whole = configuration
                values.append(("ClientSecureSocket", { secured }))
                values.append(("ClientConfiguration", { whole }))
                values.append(("TLSContextKey", { (try? TLSContextKey(secured)) as Any }))
            }
        }
        return values
    }()

    @Test("is not in what describes it", arguments: values.indices)
    func descriptions(_ index: Int) {
        let (name, value) = Self.values[index]
        for text in shownForms(of: value()) { #expect(!shows(text), "\(name): \(text)") }
    }

    @Test("would be found by this test")
    func check() {
        struct Leak {
            let password: String
            let bytes: [UInt8]
        }
        let leaks: [Leak] = [
            Leak(password: Self.secret, bytes: []), Leak(password: "", bytes: Array(Self.secret.utf8)),
        ]
        for leak in leaks {
            for text in shownForms(of: leak).dropLast(3) { #expect(shows(text), "\(text)") }
        }
    }

    @Test("is not in a client that was made with it")
    func client() throws {
        var configuration = ClientConfiguration()
        configuration.secureSocket = ClientSecureSocket()
        configuration.secureSocket?.key = .pkcs12("p", password: Self.secret)
        let client = try WebSocketClient(unconnected: "wss://127.0.0.1:9/", configuration: configuration)
        for text in shownForms(of: client) { #expect(!shows(text), "\(text)") }
    }

    @Test("is not in an error about it, in a program")
    func errors() throws {
        let authority = try CertificateAuthority.shared
        let identity = try authority.client(.ecdsa)
        let garbage = FileSource.bytes(Array(Self.secret.utf8))
        let damagedKey = FileSource.bytes(
            Array("-----BEGIN PRIVATE KEY-----\n\(Self.secret)\n-----END PRIVATE KEY-----\n".utf8))
        let changes: [(inout ClientSecureSocket) throws -> Void] = [
            { $0.key = .pem(certFile: .file(identity.certificateFile), keyFile: garbage) },
            { $0.key = .pem(certFile: .file(identity.certificateFile), keyFile: damagedKey) },
            { $0.key = .pem(certFile: garbage, keyFile: .file(identity.privateKeyFile)) },
            {
                $0.key = .pem(
                    certFile: .file(identity.certificateFile), keyFile: .file(try identity.encryptedKeyFile()),
                    keyPassword: Self.secret)
            },
            { $0.key = .pkcs12(.file(try identity.pkcs12File()), password: Self.secret) },
            { $0.key = .pkcs12(garbage, password: Self.secret) },
            { $0.cert = .pkcs12(.file(try authority.trustStoreFile()), password: Self.secret) },
            { $0.cert = .pkcs12(garbage, password: Self.secret) }, { $0.cert = .pem(garbage) },
            { $0.certValidation = .crl(garbage) },
        ]
        for (index, change) in changes.enumerated() {
            let configuration = try SettingsFixture.configuration(change)
            let error = try #require(SettingsFixture.refusal("wss://127.0.0.1:9/", configuration))
            #expect(error.code == .ssl, "\(index): \(error)")
            for text in shownForms(of: error) + [error.libraryDetail ?? ""] { #expect(!shows(text), "\(text)") }
        }
    }

    @Test("is not in an error about it, in JSON")
    func jsonErrors() throws {
        let secret = Self.secret
        for json in [
            #"{"cert": {"password": "\#(secret)"}}"#, #"{"cert": {"directory": "d", "password": "\#(secret)"}}"#,
            #"{"key": {"certFile": "c", "keyPassword": "\#(secret)"}}"#, #"{"key": "\#(secret)"}"#,
            #"{"key": {"path": "p", "password": ["\#(secret)"]}}"#, #"{"cert": ["\#(secret)"]}"#,
            #"{"pinnedPublicKeys": ["\#(secret)"]}"#, #"{"key": {"password": "\#(secret)"}}"#,
        ] {
            let error = try #require(
                failure { try ClientConfiguration(json: Array(#"{"secureSocket": \#(json)}"#.utf8)) })
            #expect(error.code == .invalidArgument)
            for text in shownForms(of: error) { #expect(!shows(text), "\(text)") }
        }
    }
}
