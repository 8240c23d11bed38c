// The settings of TLS in a configuration in JSON.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The settings of TLS in JSON")
struct SecureSettingsFileTests {
    private func settings(_ json: String) throws -> ClientSecureSocket {
        let configuration = try ClientConfiguration(json: Array(#"{"secureSocket": \#(json)}"#.utf8))
        return try #require(configuration.secureSocket)
    }

    private static let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    @Test("set every field by the contract's name")
    func everyField() throws {
        let read = try settings(
            """
            {"enable": true, "cert": "roots.pem",
             "key": {"certFile": "client.pem", "keyFile": "client.key", "keyPassword": "secret"},
             "protocol": ["TLSv1.3"], "certValidation": {"type": "CRL", "file": "crl.pem", "mode": "soft"},
             "ciphers": ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"], "verifyHostName": false,
             "serverName": "example.com", "shareSession": false, "sessionTimeout": 1.5, "handshakeTimeout": 2.5,
             "pinnedPublicKeys": ["\(Self.pin)"], "keyLog": "keys.txt"}
            """)
        var expected = ClientSecureSocket()
        expected.cert = .pem("roots.pem")
        expected.key = .pem(certFile: "client.pem", keyFile: "client.key", keyPassword: "secret")
        expected.protocol = [.tls13]
        expected.certValidation = .crl("crl.pem", .soft)
        expected.ciphers = ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]
        (expected.verifyHostName, expected.serverName, expected.shareSession) = (false, "example.com", false)
        (expected.sessionTimeout, expected.handshakeTimeout) = (.milliseconds(1500), .milliseconds(2500))
        expected.pinnedPublicKeys = [try #require(PublicKeyPin(base64: Self.pin))]
        expected.keyLog = .file("keys.txt")
        #expect(read == expected)
        let names = Set(Mirror(reflecting: read).children.compactMap(\.label))
        #expect(names.count == 13, "a new field has to be readable from JSON, and in this test")
    }

    @Test("have these forms")
    func forms() throws {
        let forms: [(String, @Sendable (inout ClientSecureSocket) -> Void)] = [
            (#"{"enable": false}"#, { $0.enable = false }),
            (#"{"cert": "a.pem"}"#, { $0.cert = .pem("a.pem") }),
            (#"{"cert": {"path": "a.pem"}}"#, { $0.cert = .pem("a.pem") }),
            (#"{"cert": {"path": "a.pem", "password": null}}"#, { $0.cert = .pem("a.pem") }),
            (#"{"cert": {"path": "a.p12", "password": "p"}}"#, { $0.cert = .pkcs12("a.p12", password: "p") }),
            (#"{"cert": {"path": "a.p12", "password": ""}}"#, { $0.cert = .pkcs12("a.p12", password: "") }),
            (#"{"cert": {"directory": "roots"}}"#, { $0.cert = .directory("roots") }),
            (#"{"key": {"path": "a.p12", "password": "p"}}"#, { $0.key = .pkcs12("a.p12", password: "p") }),
            (#"{"key": {"certFile": "a", "keyFile": "b"}}"#, { $0.key = .pem(certFile: "a", keyFile: "b") }),
            (
                #"{"key": {"certFile": "a", "keyFile": "b", "keyPassword": null}}"#,
                { $0.key = .pem(certFile: "a", keyFile: "b") }
            ),
            (#"{"protocol": ["TLSv1.2"]}"#, { $0.protocol = [.tls12] }),
            (#"{"protocol": ["TLS 1.2", "TLSv1.3", "TLSv1.2"]}"#, { $0.protocol = [.tls12, .tls13] }),
            (#"{"protocol": {"name": "TLS", "versions": ["TLSv1.3"]}}"#, { $0.protocol = [.tls13] }),
            (#"{"protocol": {"versions": ["TLSv1.2"]}}"#, { $0.protocol = [.tls12] }),
            (#"{"protocol": {"name": "TLS"}}"#, { _ in }),
            (#"{"certValidation": {"type": "OCSP_STAPLING"}}"#, { $0.certValidation = .ocspStapling(.hard) }),
            (
                #"{"certValidation": {"type": "OCSP_STAPLING", "mode": "soft"}}"#,
                { $0.certValidation = .ocspStapling(.soft) }
            ),
            (#"{"certValidation": {"type": "CRL", "file": "c"}}"#, { $0.certValidation = .crl("c", .hard) }),
            (
                #"{"certValidation": {"type": "CRL", "file": "c", "mode": "hard"}}"#,
                { $0.certValidation = .crl("c", .hard) }
            ),
            (#"{"keyLog": "environment"}"#, { $0.keyLog = .environment }),
            (#"{"keyLog": "/tmp/keys"}"#, { $0.keyLog = .file("/tmp/keys") }),
            (#"{"sessionTimeout": -1, "handshakeTimeout": -1}"#, { _ in }),
            (#"{"sessionTimeout": 0}"#, { $0.sessionTimeout = .zero }),
            (
                #"{"cert": null, "key": null, "certValidation": null, "serverName": null, "sessionTimeout": null, "#
                    + #""handshakeTimeout": null, "keyLog": null}"#, { _ in }
            ),
        ]
        for (json, change) in forms {
            var expected = ClientSecureSocket()
            change(&expected)
            #expect(try settings(json) == expected, "\(json)")
        }
    }

    /// What a field's value may be.
    private static let types: [(String, Set<String>)] = [
        ("enable", ["true"]), ("cert", [#""text""#, "null"]), ("key", ["null"]), ("protocol", ["{}"]),
        ("certValidation", ["null"]), ("ciphers", ["[]"]), ("verifyHostName", ["true"]),
        ("serverName", [#""text""#, "null"]), ("shareSession", ["true"]), ("sessionTimeout", ["1.5", "null"]),
        ("handshakeTimeout", ["1.5", "null"]), ("pinnedPublicKeys", ["[]"]), ("keyLog", [#""text""#, "null"]),
    ]

    @Test("are refused by name where they are of another type", arguments: types)
    func mistyped(_ name: String, _ allowed: Set<String>) {
        for value in ["true", "1.5", #""text""#, "[]", "{}", "null", "[1]", #"[{"a": 1}]"#, #"{"a": 1}"#] {
            let error = failure { try settings(#"{"\#(name)": \#(value)}"#) }
            guard !allowed.contains(value) else {
                #expect(error == nil, "\(value): \(error?.description ?? "")")
                continue
            }
            #expect(error?.code == .invalidArgument, "\(name): \(value)")
            #expect(error?.description.contains("secureSocket.\(name)") == true, "\(error?.description ?? "none")")
        }
    }

    @Test(
        "are refused by name where they are unknown, mistyped or not valid, nested members too",
        arguments: [
            (#"{"Enable": true}"#, "configuration.secureSocket.Enable: there is no such field"),
            (#"{"trustStore": "a"}"#, "configuration.secureSocket.trustStore: there is no such field"),
            (#"{"cert": {"file": "a"}}"#, "configuration.secureSocket.cert.file: there is no such field"),
            (#"{"cert": {"path": 1}}"#, "configuration.secureSocket.cert.path: expected a string"),
            (
                #"{"cert": {"path": "a", "password": 1}}"#,
                "configuration.secureSocket.cert.password: expected a string"
            ),
            (#"{"cert": {"password": "a"}}"#, "configuration.secureSocket.cert: expected a path"),
            (#"{"cert": {"path": "a", "directory": "b"}}"#, "configuration.secureSocket.cert: expected a path"),
            (#"{"cert": {"directory": "b", "password": "p"}}"#, "configuration.secureSocket.cert: expected a path"),
            (#"{"cert": {}}"#, "configuration.secureSocket.cert: expected a path"),
            (#"{"cert": ""}"#, "secureSocket.cert: "), (#"{"cert": {"directory": ""}}"#, "secureSocket.cert: "),
            (#"{"key": "a.pem"}"#, "configuration.secureSocket.key: expected an object"),
            (#"{"key": {"path": "a"}}"#, "configuration.secureSocket.key: expected an object with path and password"),
            (#"{"key": {"certFile": "a"}}"#, "configuration.secureSocket.key: expected an object with path"),
            (#"{"key": {"keyFile": "a"}}"#, "configuration.secureSocket.key: expected an object with path"),
            (
                #"{"key": {"path": "a", "password": "p", "keyPassword": "p"}}"#,
                "configuration.secureSocket.key: expected an object with path"
            ),
            (
                #"{"key": {"path": "a", "certFile": "a", "keyFile": "b"}}"#,
                "configuration.secureSocket.key: expected an object with path"
            ),
            (
                #"{"key": {"certFile": "a", "keyFile": "b", "password": "p"}}"#,
                "configuration.secureSocket.key: expected an object with path"
            ),
            (#"{"key": {"certFile": 1, "keyFile": "b"}}"#, "configuration.secureSocket.key.certFile: expected a str"),
            (#"{"key": {"alias": "a"}}"#, "configuration.secureSocket.key.alias: there is no such field"),
            (#"{"key": {"certFile": "", "keyFile": "b"}}"#, "secureSocket.key.certFile: "),
            (#"{"protocol": []}"#, "secureSocket.protocol: no version"),
            (#"{"protocol": ["SSLv3"]}"#, "configuration.secureSocket.protocol[0]: expected \"TLSv1.2\""),
            (#"{"protocol": ["TLSv1.3", 1.2]}"#, "configuration.secureSocket.protocol[1]: expected a string"),
            (#"{"protocol": "TLSv1.3"}"#, "configuration.secureSocket.protocol: expected an array"),
            (#"{"protocol": {"name": "SSL"}}"#, "configuration.secureSocket.protocol.name: expected \"TLS\""),
            (
                #"{"protocol": {"version": []}}"#,
                "configuration.secureSocket.protocol.version: there is no such field"
            ),
            (
                #"{"protocol": {"versions": ["x"]}}"#,
                "configuration.secureSocket.protocol.versions[0]: expected \"TLSv1.2\""
            ),
            (#"{"protocol": {"versions": []}}"#, "secureSocket.protocol: no version"),
            (#"{"protocol": ["TLSv1"]}"#, "secureSocket.protocol: the installed OpenSSL does not allow TLS 1.0"),
            (#"{"protocol": ["TLSv1.1"]}"#, "secureSocket.protocol: the installed OpenSSL does not allow TLS 1.1"),
            (
                #"{"certValidation": {"type": "OCSP"}}"#,
                "configuration.secureSocket.certValidation: expected the type"
            ),
            (#"{"certValidation": {"type": "CRL"}}"#, "configuration.secureSocket.certValidation: expected the type"),
            (
                #"{"certValidation": {"type": "OCSP_STAPLING", "file": "a"}}"#,
                "configuration.secureSocket.certValidation: expected the type"
            ),
            (
                #"{"certValidation": {"type": "CRL", "file": "a", "mode": "Soft"}}"#,
                "configuration.secureSocket.certValidation: expected the mode"
            ),
            (
                #"{"certValidation": {"mode": "soft"}}"#,
                "configuration.secureSocket.certValidation: expected the type"
            ),
            (
                #"{"certValidation": {"cacheSize": 1}}"#,
                "configuration.secureSocket.certValidation.cacheSize: there is"
            ),
            (
                #"{"certValidation": {"type": "CRL", "file": 1}}"#,
                "configuration.secureSocket.certValidation.file: expected a string"
            ),
            (#"{"certValidation": {"type": "CRL", "file": ""}}"#, "secureSocket.certValidation: "),
            (
                #"{"enable": false, "certValidation": {"type": "OCSP_STAPLING"}}"#,
                "secureSocket.certValidation: nothing is verified"
            ),
            (
                #"{"ciphers": ["NO_SUCH"]}"#,
                "secureSocket.ciphers: the installed OpenSSL has no cipher suite \"NO_SUCH\""
            ),
            (#"{"ciphers": [1]}"#, "configuration.secureSocket.ciphers[0]: expected a string"),
            (#"{"serverName": ""}"#, "secureSocket.serverName: "),
            (#"{"sessionTimeout": -2}"#, "configuration.secureSocket.sessionTimeout: expected a number of seconds"),
            (
                #"{"sessionTimeout": 1e300}"#,
                "configuration.secureSocket.sessionTimeout: expected a number of seconds"
            ),
            (#"{"handshakeTimeout": 0}"#, "secureSocket.handshakeTimeout: it is zero"),
            (
                #"{"pinnedPublicKeys": ["AAAA"]}"#,
                "configuration.secureSocket.pinnedPublicKeys[0]: expected the Base64 of 32 bytes"
            ),
            (#"{"pinnedPublicKeys": [1]}"#, "configuration.secureSocket.pinnedPublicKeys[0]: expected a string"),
            (#"{"keyLog": ""}"#, "secureSocket.keyLog: "),
        ])
    func mistakes(_ json: String, _ words: String) {
        let error = failure { try settings(json) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "none")")
    }

    @Test("connect over wss")
    func connect() throws {
        let server = try SettingsFixture.echoServer()
        defer { server.stop() }
        let authority = try CertificateAuthority.shared
        let folder = try TemporaryFolder("lws-test-configuration")
        let file = try folder.write(
            """
            {"readTimeout": 60, "handShakeTimeout": 60, "secureSocket": {
              "cert": {"path": "\(authority.trustStoreFile())", "password": "secret"}, "protocol": ["TLSv1.2"],
              "certValidation": {"type": "CRL", "file": "\(authority.crlFile)"},
              "ciphers": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"], "serverName": "localhost",
              "key": {"path": "\(authority.client(.ecdsa).pkcs12File())", "password": "secret"},
              "pinnedPublicKeys": ["\(authority.server(.good).publicKeyPinBase64())"], "handshakeTimeout": 60}}
            """, to: "client.json")
        let info = try SettingsFixture.visit(server.url(), try ClientConfiguration(jsonFile: file))
        #expect(info.version == .tls12 && info.cipherSuite == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    }
}
