// PKCS#12 stores with the ciphers of old.

import Foundation
import LWSEchoServer
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A PKCS#12 store of an older Java", .serialized)
struct OldStoreTests {
    /// How `keytool` has written stores before Java 16, and Windows does on request.
    private static let ciphers = ["PBE-SHA1-RC2-40", "PBE-SHA1-RC4-128", "PBE-SHA1-3DES"]

    private static func options(_ cipher: String) -> [String] {
        ["-legacy", "-keypbe", cipher, "-certpbe", cipher, "-macalg", "sha1", "-passout", "pass:secret"]
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("lws-stores") }

    private func store(_ what: [String], _ cipher: String) throws -> String {
        let path = folder.file("\(UUID().uuidString).p12")
        try OpenSSLCommand.run(["pkcs12", "-export", "-out", path] + what + Self.options(cipher))
        return path
    }

    /// An echo server that asks for a certificate.
    private func server() throws -> EchoServer {
        let root = try CertificateAuthority.shared.rootFile
        return try SettingsFixture.echoServer { $0.clientCertificateAuthority = root }
    }

    @Test(
        "opens for TLS, as key and as roots, with each connection anew", arguments: ciphers,
        [TLSVersion.tls12, .tls13])
    func tls(_ cipher: String, _ version: TLSVersion) throws {
        let authority = try CertificateAuthority.shared
        for leaf in [CertificateAuthority.ClientLeaf.rsa, .ecdsa, .ed25519] {
            let identity = try authority.client(leaf)
            let key = try store(["-inkey", identity.privateKeyFile, "-in", identity.chainFile], cipher)
            let roots = try store(["-nokeys", "-in", authority.rootFile], cipher)
            let server = try server()
            let configuration = try SettingsFixture.configuration {
                $0.key = .pkcs12(.file(key), password: "secret")
                $0.cert = .pkcs12(.file(roots), password: "secret")
                $0.protocol = [version]
                $0.shareSession = false
            }
            for _ in 0..<6 { try SettingsFixture.visit(server.url(), configuration) }
            server.stop()
        }
    }

    @Test("opens for tokens, whatever the key's name", arguments: ciphers, [nil, "b"])
    func tokens(_ cipher: String, _ alias: String?) throws {
        let keys = try TokenKeys()
        let path = try keys.store(
            .rsa, named: alias == nil ? ["a"] : ["a", "b"], password: "secret",
            options: Array(Self.options(cipher).dropLast(2)))
        let config = JWTSignatureConfig.key(.rs256, .pkcs12(.file(path), alias: alias, password: "secret"))
        let token = try JWTAuthenticator(JWTIssuer(signatureConfig: config)).token()
        _ = try TokenCheck.verify(
            token: token, key: keys.publicKey(.rsa, alias == nil ? 1 : 2), algorithm: config.algorithm)
    }

    @Test("is refused with a wrong password, or damaged, in the same words as others")
    func refused() throws {
        let path = try store(["-nokeys", "-in", CertificateAuthority.shared.rootFile], Self.ciphers[0])
        let server = try server()
        func words(_ source: FileSource, _ password: String) throws -> String? {
            let configuration = try SettingsFixture.configuration { $0.cert = .pkcs12(source, password: password) }
            return SettingsFixture.refusal(server.url(), configuration)?.description
        }
        #expect(try words(.file(path), "wrong")?.contains("cannot be opened: wrong password") == true)
        let bytes = try SettingsFixture.bytes(of: path)
        for length in stride(from: 1, to: bytes.count, by: 97) {
            #expect(try words(.bytes(bytes.prefix(length)), "secret")?.contains("is not a PKCS#12 store") == true)
        }
        server.stop()
    }

    @Test("is named with the way out where OpenSSL's legacy provider is not installed")
    func withoutProvider() throws {
        let identity = try CertificateAuthority.shared.client(.ecdsa)
        let path = try store(["-inkey", identity.privateKeyFile, "-in", identity.chainFile], Self.ciphers[0])
        let cat = try PeerProcess(
            "/usr/bin/env",
            [
                "OPENSSL_MODULES=\(folder.file("none"))", BuiltProgram.path("lwscat"), "--cert", path,
                "--key-password", "secret",
                "wss://127.0.0.1:1/",
            ])
        defer { cat.stop() }
        #expect(try cat.waitForExit() == .code(2))
        #expect(
            cat.output.contains(
                "\(path) is encrypted in a way that the installed OpenSSL has only in its legacy provider")
                && cat.output.contains("openssl pkcs12 -legacy"), "\(cat.output)")
    }
}
