// The settings of TLS in a program: their defaults, and mistakes.

import Foundation
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The settings of TLS")
struct SecureSettingsTests {
    /// Each field with its default as `String(describing:)` shows it.
    private static let defaults = [
        "enable": "true",
        "cert": "nil",
        "key": "nil",
        "certValidation": "nil",
        "ciphers": "[]",
        "verifyHostName": "true",
        "serverName": "nil",
        "shareSession": "true",
        "sessionTimeout": "nil",
        "handshakeTimeout": "nil",
        "pinnedPublicKeys": "[]",
        "keyLog": "nil",
    ]

    private func fields(_ settings: ClientSecureSocket) -> [String: String] {
        var fields: [String: String] = [:]
        for child in Mirror(reflecting: settings).children {
            guard let label = child.label, label != "protocol" else { continue }
            fields[label] = String(describing: child.value)
        }
        return fields
    }

    @Test("have these defaults, and no field that is not in this table", arguments: [false, true])
    func defaults(_ fromJSON: Bool) throws {
        let json = Array(#"{"secureSocket": {}}"#.utf8)
        let settings = try fromJSON ? #require(ClientConfiguration(json: json).secureSocket) : ClientSecureSocket()
        #expect(fields(settings) == Self.defaults)
        // A set has no order to compare.
        #expect(settings.protocol == [.tls12, .tls13])
        #expect(Mirror(reflecting: settings).children.count == Self.defaults.count + 1)
        #expect(settings == ClientSecureSocket())
    }

    @Test("that differ in one field are different")
    func equality() throws {
        let changes: [(inout ClientSecureSocket) throws -> Void] = [
            { $0.enable = false }, { $0.cert = .pem("a") }, { $0.cert = .directory("a") },
            { $0.cert = .pkcs12("a", password: "1") }, { $0.cert = .pkcs12("a", password: "2") },
            { $0.cert = .pem(.bytes([1])) }, { $0.key = .pem(certFile: "a", keyFile: "b") },
            { $0.key = .pem(certFile: "a", keyFile: "b", keyPassword: "") },
            { $0.key = .pkcs12("a", password: "1") }, { $0.protocol = [.tls13] },
            { $0.certValidation = .ocspStapling() }, { $0.certValidation = .ocspStapling(.soft) },
            { $0.certValidation = .crl("a") }, { $0.certValidation = .crl("a", .soft) },
            { $0.ciphers = ["TLS_AES_128_GCM_SHA256"] }, { $0.verifyHostName = false }, { $0.serverName = "a" },
            { $0.shareSession = false }, { $0.sessionTimeout = .seconds(1) }, { $0.handshakeTimeout = .seconds(1) },
            { $0.pinnedPublicKeys = [PublicKeyPin(digest: [UInt8](repeating: 1, count: 32))] },
            { $0.keyLog = .file("a") }, { $0.keyLog = .environment }, { _ in },
        ]
        let all = try changes.map { change in
            var settings = ClientSecureSocket()
            try change(&settings)
            return settings
        }
        #expect(Set(all).count == all.count)
    }

    // MARK: - Mistakes

    private static let pin = PublicKeyPin(digest: [UInt8](repeating: 1, count: 32))

    /// The field, what the error says besides, and how to make the mistake.
    private static let mistakes: [(String, String, @Sendable (inout ClientSecureSocket) -> Void)] = [
        ("protocol", "no version", { $0.protocol = [] }),
        ("protocol", "TLS 1.0", { $0.protocol = [.tls10] }),
        ("protocol", "TLS 1.1", { $0.protocol = [.tls11] }),
        ("protocol", "TLS 1.0", { $0.protocol = [.tls10, .tls11] }),
        ("protocol", "TLS 1.1", { $0.protocol = [.tls11, .tls12, .tls13] }),
        ("protocol", "TLS 1.0", { $0.protocol = [.tls10, .tls13] }),
        ("ciphers", "\"TLS_NO_SUCH\"", { $0.ciphers = ["TLS_NO_SUCH"] }),
        ("ciphers", "\"nonsense\"", { $0.ciphers = ["TLS_AES_128_GCM_SHA256", "nonsense"] }),
        ("ciphers", "\"\"", { $0.ciphers = [""] }),
        // OpenSSL's list would take these; a name is what is asked for.
        ("ciphers", "\"ALL\"", { $0.ciphers = ["ALL"] }),
        ("ciphers", "\"DEFAULT:@SECLEVEL=0\"", { $0.ciphers = ["DEFAULT:@SECLEVEL=0"] }),
        ("ciphers", "SHA256:", { $0.ciphers = ["ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"] }),
        ("ciphers", "ADH-AES128-SHA256", { $0.ciphers = ["ADH-AES128-SHA256"] }),
        ("ciphers", "TLS_DH_anon_WITH_AES_128_CBC_SHA256", { $0.ciphers = ["TLS_DH_anon_WITH_AES_128_CBC_SHA256"] }),
        ("ciphers", "NULL-SHA256", { $0.ciphers = ["ECDHE-RSA-AES128-GCM-SHA256", "NULL-SHA256"] }),
        ("ciphers", "TLS_RSA_WITH_NULL_SHA256", { $0.ciphers = ["TLS_RSA_WITH_NULL_SHA256"] }),
        (
            "ciphers", "none of them is for a version",
            { ($0.protocol, $0.ciphers) = ([.tls12], ["TLS_AES_128_GCM_SHA256"]) }
        ),
        (
            "ciphers", "none of them is for a version",
            { ($0.protocol, $0.ciphers) = ([.tls13], ["ECDHE-RSA-AES128-GCM-SHA256"]) }
        ),
        ("cert", "empty", { $0.cert = .pem("") }), ("cert", "NUL", { $0.cert = .pem("a\u{0}b") }),
        ("cert", "empty", { $0.cert = .pem(.bytes([])) }), ("cert", "empty", { $0.cert = .directory("") }),
        ("cert", "NUL", { $0.cert = .directory("\u{0}") }),
        ("cert", "empty", { $0.cert = .pkcs12("", password: "secret") }),
        ("cert", "empty", { $0.cert = .pkcs12(.bytes([]), password: "secret") }),
        ("key.certFile", "empty", { $0.key = .pem(certFile: "", keyFile: "a") }),
        ("key.certFile", "NUL", { $0.key = .pem(certFile: "\u{0}", keyFile: "a") }),
        ("key.keyFile", "empty", { $0.key = .pem(certFile: "a", keyFile: "") }),
        ("key.keyFile", "empty", { $0.key = .pem(certFile: "a", keyFile: .bytes([])) }),
        ("key.keyFile", "NUL", { $0.key = .pem(certFile: "a", keyFile: "a\u{0}") }),
        ("key", "empty", { $0.key = .pkcs12("", password: "secret") }),
        ("key", "empty", { $0.key = .pkcs12(.bytes([]), password: "secret") }),
        ("certValidation", "empty", { $0.certValidation = .crl("") }),
        ("certValidation", "empty", { $0.certValidation = .crl(.bytes([]), .soft) }),
        ("certValidation", "NUL", { $0.certValidation = .crl("\u{0}") }),
        ("certValidation", "enable", { ($0.enable, $0.certValidation) = (false, .ocspStapling(.soft)) }),
        ("certValidation", "enable", { ($0.enable, $0.certValidation) = (false, .crl("a")) }),
        ("pinnedPublicKeys", "enable", { ($0.enable, $0.pinnedPublicKeys) = (false, [pin]) }),
        ("handshakeTimeout", "zero", { $0.handshakeTimeout = .zero }),
        ("serverName", "\"\"", { $0.serverName = "" }),
        ("serverName", "\"a b\"", { $0.serverName = "a b" }),
        ("serverName", "\"https://a\"", { $0.serverName = "https://a" }),
        ("serverName", "\"a/b\"", { $0.serverName = "a/b" }),
        ("serverName", "\"a:443\"", { $0.serverName = "a:443" }),
        ("serverName", "\"[::1]\"", { $0.serverName = "[::1]" }),
        ("serverName", "is not a name", { $0.serverName = "a\u{0}b" }),
        ("serverName", "is not a name", { $0.serverName = "a\r\nb" }),
        ("serverName", "is not a name", { $0.serverName = "*.example.com" }),
        ("serverName", "is not a name", { $0.serverName = "bücher.example" }),
        ("serverName", "is not a name", { $0.serverName = String(repeating: "a", count: 256) }),
        ("keyLog", "empty", { $0.keyLog = .file("") }), ("keyLog", "NUL", { $0.keyLog = .file("\u{0}") }),
    ]

    @Test("that are wrong are refused by name before anything is sent", arguments: mistakes.indices)
    func mistake(_ index: Int) {
        let (name, words, change) = Self.mistakes[index]
        var settings = ClientSecureSocket()
        change(&settings)
        var configuration = ClientConfiguration()
        configuration.secureSocket = settings
        // Also where no connection is over TLS.
        for url in ["wss://127.0.0.1:9/", "ws://127.0.0.1:9/"] {
            let error = failure { try WebSocketClient(unconnected: url, configuration: configuration) }
            #expect(error?.code == .invalidArgument)
            let text = error?.description ?? "none"
            #expect(text.hasPrefix("secureSocket.\(name): ") && text.contains(words), "\(text)")
        }
    }

    @Test("are taken where they have a meaning")
    func right() throws {
        let changes: [@Sendable (inout ClientSecureSocket) -> Void] = [
            { $0.protocol = [.tls12] }, { $0.protocol = [.tls13] },
            { $0.ciphers = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] },
            { $0.ciphers = ["ECDHE-RSA-AES128-GCM-SHA256", "TLS_CHACHA20_POLY1305_SHA256"] },
            { $0.ciphers = ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256"] },
            { ($0.sessionTimeout, $0.handshakeTimeout) = (.zero, .seconds(-1)) },
            { ($0.sessionTimeout, $0.handshakeTimeout) = (.seconds(-1), .nanoseconds(1)) },
            { ($0.sessionTimeout, $0.handshakeTimeout) = (.seconds(Int64.max), .seconds(Int64.max)) },
            { $0.serverName = "localhost" }, { $0.serverName = "a.example.com" }, { $0.serverName = "192.0.2.1" },
            { $0.serverName = "2001:db8::1" }, { $0.keyLog = .environment }, { $0.enable = false },
            { $0.key = .pkcs12("a", password: "") }, { $0.cert = .pkcs12(.bytes([1]), password: "") },
            { ($0.pinnedPublicKeys, $0.verifyHostName) = ([Self.pin], false) },
        ]
        for change in changes {
            var configuration = ClientConfiguration()
            var settings = ClientSecureSocket()
            change(&settings)
            configuration.secureSocket = settings
            _ = try WebSocketClient(unconnected: "wss://127.0.0.1:9/", configuration: configuration)
        }
    }

    @Test("has pins of 32 bytes, in Base64 with and without a prefix")
    func pins() throws {
        let base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        let pin = try #require(PublicKeyPin(base64: base64))
        #expect(pin == PublicKeyPin(base64: "sha256/\(base64)"))
        #expect(pin == PublicKeyPin(base64: "sha256//\(base64)"))
        #expect(pin == PublicKeyPin(sha256: pin.sha256))
        #expect(pin.description == base64 && pin.sha256.count == 32)
        for text in [
            "", "sha256/", "AAAA", "sha1/\(base64)", base64 + base64, "not base64", String(base64.dropLast()),
        ] {
            #expect(PublicKeyPin(base64: text) == nil, "\(text)")
        }
        #expect(PublicKeyPin(sha256: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(PublicKeyPin(sha256: [UInt8](repeating: 0, count: 33)) == nil)
    }
}
