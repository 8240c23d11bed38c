// What a server's TLS agrees to, asks for and refuses.

import Foundation
import LWSEchoServer
import LWSWebSocket
import TestSupport
import Testing

@Suite("TLS of a server", .serialized)
struct TLSTests {
    private let certificate: SelfSignedCertificate
    private let tls: EchoServer.TLS
    /// A property, not a variable of a test, which might be gone before the programs that read its files.
    private let folder: Folder

    init() throws {
        folder = try Folder()
        certificate = try SelfSignedCertificate()
        tls = .init(certificateFile: certificate.certificateFile, privateKeyFile: certificate.privateKeyFile)
    }

    /// A server with some of the settings.
    private func server(_ change: (inout EchoServer.TLS) -> Void = { _ in }) throws -> EchoServer {
        var tls = tls
        change(&tls)
        return try EchoServer(.init(tls: tls))
    }

    private func error(_ change: (inout EchoServer.TLS) -> Void) -> EchoServerError? {
        #expect(throws: EchoServerError.self) { _ = try server(change) }
    }

    /// Connects with Python's `ssl`; `Tests/Peers/python/tls_client.py` says what it prints.
    private func connect(to server: EchoServer, _ options: [String]) throws -> String {
        let arguments = ["\(server.port)", "--ca", certificate.certificateFile] + options
        let process = try PeerProcess(python: "tls_client.py", arguments)
        guard try process.waitForExit() == .code(0) else { throw PeerError("tls_client: \(process.output)") }
        return process.output
    }

    @Test("accepts TLS 1.2 and 1.3, unless one of them is chosen", arguments: EchoServer.TLS.Version.allCases)
    func versions(version: EchoServer.TLS.Version) throws {
        let both = try server()
        #expect(try connect(to: both, ["--version", version.rawValue]).hasPrefix("TLSv\(version.rawValue) "))
        let one = try server { $0.protocols = [version] }
        #expect(try connect(to: one, []).hasPrefix("TLSv\(version.rawValue) "))
        let other = version == .tls12 ? "1.3" : "1.2"
        #expect(try connect(to: one, ["--version", other, "--refused"]).contains("ALERT_PROTOCOL_VERSION"))
    }

    @Test("never accepts TLS 1.1")
    func oldVersion() throws {
        // A security level at which OpenSSL itself would accept it.
        let weak = "ALL:@SECLEVEL=0"
        let server = try server { $0.ciphers = weak }
        let output = try connect(to: server, ["--version", "1.1", "--ciphers", weak, "--refused"])
        #expect(output.contains("ALERT_PROTOCOL_VERSION"))
    }

    @Test("takes the ciphers it is given, of each version its own")
    func ciphers() throws {
        let server = try server {
            $0.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"
            $0.cipherSuites = "TLS_AES_128_GCM_SHA256"
        }
        #expect(try connect(to: server, ["--version", "1.2"]) == "TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305 new\n")
        #expect(try connect(to: server, ["--version", "1.3"]) == "TLSv1.3 TLS_AES_128_GCM_SHA256 new\n")
        let other = "ECDHE-ECDSA-AES128-GCM-SHA256"
        let output = try connect(to: server, ["--version", "1.2", "--ciphers", other, "--refused"])
        #expect(output.contains("ALERT_HANDSHAKE_FAILURE"))
    }

    @Test("asks for a client's certificate of the authority it is given", arguments: ["1.2", "1.3"])
    func clientCertificates(version: String) throws {
        let authority = try folder.makeAuthority("authority")
        _ = try folder.makeAuthority("stranger")
        let client = try folder.makeClient("client", of: "authority")
        let impostor = try folder.makeClient("impostor", of: "stranger")
        let server = try server { $0.clientCertificateAuthority = authority }
        #expect(try connect(to: server, ["--version", version] + client).hasSuffix(" new\n"))
        let options = ["--version", version, "--refused"]
        #expect(try connect(to: server, options + impostor).contains("ALERT_UNKNOWN_CA"))
        // TLS 1.2 has no alert of its own for this.
        let expected = version == "1.2" ? "ALERT_HANDSHAKE_FAILURE" : "ALERT_CERTIFICATE_REQUIRED"
        #expect(try connect(to: server, options).contains(expected))
        #expect(server.connectionCount == 0)
    }

    @Test("resumes sessions, with and without a client's certificate", arguments: ["1.2", "1.3"])
    func resumption(version: String) throws {
        let authority = try folder.makeAuthority("authority")
        let client = try folder.makeClient("client", of: "authority")
        let options = ["--version", version, "--connections", "3"] + client
        for server in [try server(), try server { $0.clientCertificateAuthority = authority }] {
            let lines = try connect(to: server, options).split(separator: "\n")
            #expect(lines.map { $0.split(separator: " ").last } == ["new", "resumed", "resumed"])
        }
    }

    @Test("reads an encrypted key with its password, and fails with words without")
    func encryptedKey() throws {
        let key = try folder.encrypt(certificate.privateKeyFile, password: "open sesame")
        let server = try server { ($0.privateKeyFile, $0.privateKeyPassword) = (key, "open sesame") }
        #expect(try connect(to: server, []).hasSuffix(" new\n"))
        #expect(
            error { $0.privateKeyFile = key }?.description
                == "cannot use the private key in '\(key)': it is encrypted, and there is no password")
        for password in ["", "open simsim"] {
            let failed = error { ($0.privateKeyFile, $0.privateKeyPassword) = (key, password) }
            #expect(
                failed?.description
                    == "cannot use the private key in '\(key)': the password is not the right one, or "
                    + "'\(certificate.certificateFile)' has no certificate for it")
        }
        // A password that is not needed does no harm.
        _ = try self.server { $0.privateKeyPassword = "spare" }
    }

    @Test("fails with words where a key is of another kind than its certificate, encrypted or not")
    func otherKey() throws {
        let key = try folder.makeRSAKey()
        let encrypted = try folder.encrypt(key, password: "open sesame")
        for key in [key, encrypted] {
            #expect(
                error { ($0.privateKeyFile, $0.privateKeyPassword) = (key, "open sesame") }
                    == .unusableCertificate(certificateFile: certificate.certificateFile, privateKeyFile: key))
        }
    }

    @Test("fails with words where a file is not what it should be")
    func files() throws {
        let empty = try folder.write("", to: "empty")
        let junk = try folder.write("-----BEGIN CERTIFICATE-----\njunk\n", to: "junk")
        for file in [empty, junk, certificate.privateKeyFile] {
            #expect(error { $0.clientCertificateAuthority = file } == .unusableClientAuthority(path: file))
            #expect(
                error { $0.certificateFile = file }
                    == .unusableCertificate(certificateFile: file, privateKeyFile: tls.privateKeyFile))
        }
        for file in [empty, junk] {
            #expect(
                error { $0.privateKeyFile = file }
                    == .unusableCertificate(certificateFile: tls.certificateFile, privateKeyFile: file))
        }
        #expect(
            error { $0.clientCertificateAuthority = junk }?.description
                == "no certificate of an authority for clients in '\(junk)'")
        #expect(
            error { $0.clientCertificateAuthority = "/nonexistent" }?.description
                == "cannot read '/nonexistent': No such file or directory")
        #expect(
            error { $0.certificateFile = "/" } == .unreadableFile(path: "/", reason: "Is a directory"))
    }

    @Test("fails with words where ciphers or versions leave nothing to agree on")
    func settings() {
        for list in ["", "NOPE", "TLS_AES_128_GCM_SHA256"] {
            #expect(error { $0.ciphers = list } == .unknownCiphers(list))
        }
        for list in ["", "NOPE", "ECDHE-ECDSA-AES128-GCM-SHA256"] {
            #expect(error { $0.cipherSuites = list } == .unknownCipherSuites(list))
        }
        #expect(
            error { $0.ciphers = "NOPE" }?.description
                == "'NOPE' names no cipher of TLS 1.2 that OpenSSL knows")
        #expect(
            error { $0.cipherSuites = "NOPE" }?.description
                == "'NOPE' names no cipher suite of TLS 1.3 that OpenSSL knows")
        #expect(error { $0.protocols = [] }?.description == "no version of TLS is to be accepted")
    }
}

/// A folder for a test's files, which goes with this object.
private final class Folder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("lws-test-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    func openssl(_ arguments: String...) throws {
        let places = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map { $0 + "/openssl" }
        let process = try PeerProcess(places.first { access($0, X_OK) == 0 } ?? places[0], arguments)
        guard try process.waitForExit() == .code(0) else { throw PeerError("openssl: \(process.output)") }
    }

    func encrypt(_ key: String, password: String) throws -> String {
        let file = path(UUID().uuidString)
        try openssl("pkcs8", "-topk8", "-in", key, "-out", file, "-passout", "pass:\(password)")
        return file
    }

    func makeRSAKey() throws -> String {
        let file = path("rsa-key.pem")
        try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file)
        return file
    }

    /// A certificate of an authority, in PEM.
    func makeAuthority(_ name: String) throws -> String {
        let file = path("\(name).pem")
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-keyout", path("\(name)-key.pem"), "-out", file)
        return file
    }

    /// A client's certificate of that authority, as options for the script.
    func makeClient(_ name: String, of authority: String) throws -> [String] {
        let (certificate, key) = (path("\(name).pem"), path("\(name)-key.pem"))
        let request = path("\(name).csr")
        try openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=\(name)", "-keyout", key, "-out", request)
        try openssl(
            "x509", "-req", "-in", request, "-CA", path("\(authority).pem"),
            "-CAkey", path("\(authority)-key.pem"), "-set_serial", "2", "-days", "2", "-out", certificate)
        return ["--cert", certificate, "--key", key]
    }
}
