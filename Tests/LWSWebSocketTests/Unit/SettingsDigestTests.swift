// Which settings of TLS are the same.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("Settings of TLS")
struct SettingsDigestTests {
    private static let changes: [(String, @Sendable (inout ClientSecureSocket) -> Void)] = [
        ("enable", { $0.enable = false }), ("cert", { $0.cert = .pem("a") }), ("cert", { $0.cert = .pem("b") }),
        ("cert", { $0.cert = .directory("a") }), ("cert", { $0.cert = .pem(.bytes([1])) }),
        ("cert", { $0.cert = .pkcs12("a", password: "x") }), ("cert", { $0.cert = .pkcs12("a", password: "y") }),
        ("key", { $0.key = .pem(certFile: "a", keyFile: "b") }),
        ("key", { $0.key = .pem(certFile: "ab", keyFile: "") }),
        ("key", { $0.key = .pem(certFile: "a", keyFile: "b", keyPassword: "c") }),
        ("key", { $0.key = .pkcs12("a", password: "b") }), ("key", { $0.key = .pkcs12(.bytes([1]), password: "b") }),
        ("protocol", { $0.protocol = [.tls12] }), ("protocol", { $0.protocol = [.tls13] }),
        ("certValidation", { $0.certValidation = .ocspStapling(.soft) }),
        ("certValidation", { $0.certValidation = .ocspStapling(.hard) }),
        ("certValidation", { $0.certValidation = .crl("a", .hard) }),
        ("certValidation", { $0.certValidation = .crl("b", .hard) }),
        ("ciphers", { $0.ciphers = ["a", "b"] }), ("ciphers", { $0.ciphers = ["b", "a"] }),
        ("verifyHostName", { $0.verifyHostName = false }), ("serverName", { $0.serverName = "a" }),
        ("shareSession", { $0.shareSession = false }), ("sessionTimeout", { $0.sessionTimeout = .seconds(1) }),
        ("handshakeTimeout", { $0.handshakeTimeout = .seconds(1) }),
        ("pinnedPublicKeys", { $0.pinnedPublicKeys = [PublicKeyPin(digest: [1])] }),
        ("keyLog", { $0.keyLog = .file("a") }), ("keyLog", { $0.keyLog = .environment }),
    ]

    @Test("are other ones where any field is another")
    func everyField() {
        var digests: Set<String> = [SettingsDigest.of(ClientSecureSocket(), [])]
        for (_, change) in Self.changes {
            var settings = ClientSecureSocket()
            change(&settings)
            #expect(SettingsDigest.of(settings, []) == SettingsDigest.of(settings, []))
            digests.insert(SettingsDigest.of(settings, []))
        }
        #expect(digests.count == Self.changes.count + 1)
        let fields = Mirror(reflecting: ClientSecureSocket()).children.compactMap(\.label)
        #expect(Set(fields) == Set(Self.changes.map(\.0)), "a field is missing in the table, or in SettingsDigest")
    }

    @Test("are other ones where a file has changed")
    func files() throws {
        let folder = try TemporaryFolder("lws-digest")
        defer { folder.remove() }
        _ = try folder.write("one", to: "roots.pem")
        var settings = ClientSecureSocket()
        settings.cert = .pem(.file(folder.file("roots.pem")))
        let before = try TLSContextKey(settings)
        #expect(try before == TLSContextKey(settings))
        _ = try folder.write("another", to: "roots.pem")
        #expect(try before != TLSContextKey(settings))
    }

    @Test("share one context, from whatever threads it is asked for and let go")
    func pool() throws {
        var settings = ClientSecureSocket()
        settings.cert = .pem(.file(try CertificateAuthority.shared.rootFile))
        settings.ciphers = ["TLS_AES_128_GCM_SHA256"]
        let threads = try (0..<5).map { [settings] _ in
            try Background {
                for _ in 0..<200 { _ = try TLSContextPool.shared.context(for: settings) }
            }
        }
        for thread in threads { try thread.value() }
        let one = try TLSContextPool.shared.context(for: settings)
        #expect(try TLSContextPool.shared.context(for: settings) === one)
    }
}
