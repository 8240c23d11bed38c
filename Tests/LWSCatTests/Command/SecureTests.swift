// TLS.

import LWSEchoServer
import TestSupport
import Testing

@Suite("TLS options", .serialized)
struct SecureTests {
    private let certificate: SelfSignedCertificate
    private let server: EchoServer

    init() throws {
        certificate = try SelfSignedCertificate()
        server = try EchoServer(
            .init(
                tls: .init(
                    certificateFile: certificate.certificateFile, privateKeyFile: certificate.privateKeyFile)))
    }

    @Test("verify the server, unless --insecure is given, and trust whom --cacert names")
    func trust() throws {
        let plain = try Cat(server.url()).run()
        #expect(plain.exit == .code(2))
        #expect(plain.errors.contains("self-signed"))
        #expect(try Cat("--insecure", server.url(), input: .text("hi\n")).run().output == "hi\n")
        let trusted = try Cat("--cacert", certificate.certificateFile, "-v", server.url(), input: .text("hi\n")).run()
        #expect(trusted.output == "hi\n")
        #expect(trusted.errors.contains("* TLS 1.3, TLS_AES_256_GCM_SHA384"))
    }

    @Test("choose the version and the name to verify")
    func settings() throws {
        let options = ["--cacert", certificate.certificateFile, "-v", server.url()]
        func run(_ more: String...) throws -> Cat.Result {
            var cat = Cat()
            cat.arguments = more + options
            return try cat.run()
        }
        #expect(try run("--tls-version", "1.2").errors.contains("* TLS 1.2"))
        #expect(try run("--server-name", "localhost").exit == .code(0))
        #expect(try run("--server-name", "example.com").exit == .code(2))
        #expect(try run("--server-name", "example.com", "--no-verify-host").exit == .code(0))
        #expect(try run("--cipher", "TLS_AES_128_GCM_SHA256").errors.contains("TLS_AES_128_GCM_SHA256"))
    }

    @Test("show a certificate to a server that asks for one, from PEM files and from a store")
    func clientCertificate() throws {
        let authority = try CertificateAuthority.shared
        let identity = try authority.client(.ecdsa)
        let server = try EchoServer(
            .init(
                tls: .init(
                    certificateFile: certificate.certificateFile, privateKeyFile: certificate.privateKeyFile,
                    clientCertificateAuthority: authority.rootFile)))
        let encrypted = try identity.encryptedKeyFile()
        let store = try identity.pkcs12File()
        for options in [
            ["--cert", identity.chainFile, "--key", identity.privateKeyFile],
            ["--cert", identity.chainFile, "--key", encrypted, "--key-password", "secret"],
            ["--cert", store, "--key-password", "secret"],
        ] {
            var cat = Cat("--cacert", certificate.certificateFile, server.url(), input: .text("hi\n"))
            cat.arguments += options
            let result = try cat.run()
            #expect(result.output == "hi\n", "\(options): \(result.errors)")
        }
        let wrong = try Cat(
            "--cacert", certificate.certificateFile, "--cert", store, "--key-password", "wr0ng", server.url()
        ).run()
        #expect(wrong.exit == .code(2))
        #expect(wrong.errors.contains("password"))
        #expect(!wrong.errors.contains("wr0ng"))
        #expect(try Cat("--cacert", certificate.certificateFile, server.url()).run().exit != .code(0))
    }
}
