// Files that the settings of TLS name and that are not as they should be.

import Foundation
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A file that secureSocket names")
struct SecureFilesTests {
    private typealias Change = (inout ClientSecureSocket) throws -> Void

    private let authority: CertificateAuthority
    private let folder: TemporaryFolder
    private let client: TestIdentity
    private let server: RawServer
    private let connections = Locked(0)

    init() throws {
        authority = try CertificateAuthority.shared
        folder = try TemporaryFolder("lws-test-files")
        client = try authority.client(.ecdsa)
        server = try RawServer { [connections] _ in connections.withLock { $0 += 1 } }
    }

    /// Each change is refused with the field, the path and these words, and the server hears nothing of it.
    private func expectRefusals(
        _ field: String, _ path: String, _ words: String, _ changes: Change...,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        for change in changes {
            let configuration = try SettingsFixture.configuration(change)
            let url = server.secureURL()
            // On a thread of its own, for one that blocks would do so for ever.
            let error = try Background { SettingsFixture.refusal(url, configuration) }.value()
            #expect(error?.code == .ssl, sourceLocation: location)
            #expect(error?.isRetriable == false, sourceLocation: location)
            let text = error?.description ?? "none"
            let start = path.isEmpty ? "secureSocket.\(field): what is in memory " : "secureSocket.\(field): \(path) "
            #expect(
                text.hasPrefix(start) && (words.isEmpty || text.contains(words)), "\(text)", sourceLocation: location)
        }
        // What comes to the server comes in order, so that this one has to be the first.
        let probe = try RawClient(port: server.port)
        #expect(probe.readResult() == .ended, sourceLocation: location)
        let count = connections.withLock { count in
            defer { count = 0 }
            return count
        }
        #expect(count == 1, "the client connected", sourceLocation: location)
    }

    /// The same for a file in each place that can name one.
    private func expectRefusalsEverywhere(
        _ path: String, _ words: String, at location: SourceLocation = #_sourceLocation
    ) throws {
        let source = FileSource.file(path)
        let (certificate, key) = (client.certificateFile, client.privateKeyFile)
        try expectRefusals(
            "cert", path, words, { $0.cert = .pem(source) }, { $0.cert = .pkcs12(source, password: "") },
            at: location)
        try expectRefusals(
            "key", path, words, { $0.key = .pkcs12(source, password: "secret") }, at: location)
        try expectRefusals(
            "key.certFile", path, words, { $0.key = .pem(certFile: source, keyFile: .file(key)) }, at: location)
        try expectRefusals(
            "key.keyFile", path, words, { $0.key = .pem(certFile: .file(certificate), keyFile: source) }, at: location
        )
        try expectRefusals(
            "certValidation", path, words, { $0.certValidation = .crl(source) },
            { $0.certValidation = .crl(source, .soft) }, at: location)
    }

    // MARK: - Unreadable

    @Test("that is missing, a directory, a pipe or a device is named, and nothing blocks")
    func unreadable() throws {
        try expectRefusalsEverywhere(folder.file("missing.pem"), "cannot be read: No such file or directory")
        let below = try folder.write("text", to: "plain") + "/below.pem"
        try expectRefusalsEverywhere(below, "cannot be read: Not a directory")
        let loop = folder.file("loop.pem")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        try expectRefusalsEverywhere(loop, "cannot be read: ")
        try expectRefusalsEverywhere(folder.path, "cannot be read: it is not a regular file")
        let pipe = folder.file("pipe.pem")
        #expect(mkfifo(pipe, 0o600) == 0)
        try expectRefusalsEverywhere(pipe, "cannot be read: it is not a regular file")
        try expectRefusalsEverywhere("/dev/zero", "cannot be read: it is not a regular file")
    }

    @Test("that may not be read is named", .enabled(if: geteuid() != 0, "root may read everything"))
    func forbidden() throws {
        let path = try folder.write("text", to: "forbidden.pem")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        try expectRefusalsEverywhere(path, "cannot be read: Permission denied")
    }

    @Test("that is longer than anybody needs is not read")
    func long() throws {
        let path = try folder.write("", to: "long.pem")
        #expect(truncate(path, off_t(65) << 20) == 0)
        try expectRefusalsEverywhere(path, "cannot be read: it has more than")
    }

    // MARK: - With something else in it

    @Test("without what is wanted is named")
    func other() throws {
        let garbage = [UInt8]((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 197) })
        let files = try [
            folder.write("", to: "empty.pem"), folder.write("no PEM at all\n", to: "text.pem"),
            folder.write("-----BEGIN SOMETHING-----\nAAAA\n-----END SOMETHING-----\n", to: "other.pem"),
        ]
        let garbageFile = folder.file("garbage.pem")
        try Data(garbage).write(to: URL(fileURLWithPath: garbageFile))
        let (certificate, key) = (FileSource.file(client.certificateFile), FileSource.file(client.privateKeyFile))
        for path in files + [garbageFile] {
            let source = FileSource.file(path)
            try expectRefusals("cert", path, "has no certificate", { $0.cert = .pem(source) })
            try expectRefusals("cert", path, "is not a PKCS#12 store", { $0.cert = .pkcs12(source, password: "a") })
            try expectRefusals("key", path, "is not a PKCS#12 store", { $0.key = .pkcs12(source, password: "a") })
            try expectRefusals(
                "key.certFile", path, "has no certificate", { $0.key = .pem(certFile: source, keyFile: key) })
            try expectRefusals(
                "key.keyFile", path, "has no private key in PEM form",
                { $0.key = .pem(certFile: certificate, keyFile: source) })
            try expectRefusals(
                "certValidation", path, "has no revocation list in PEM form", { $0.certValidation = .crl(source) })
        }
        // The wrong one of the right files.
        try expectRefusals(
            "key.certFile", client.privateKeyFile, "has no certificate",
            { $0.key = .pem(certFile: key, keyFile: key) })
        try expectRefusals(
            "key.keyFile", client.certificateFile, "has no private key in PEM form",
            { $0.key = .pem(certFile: certificate, keyFile: certificate) })
        try expectRefusals(
            "certValidation", client.certificateFile, "has no revocation list in PEM form",
            { $0.certValidation = .crl(certificate) })
        let list = try authority.crlFile
        try expectRefusals("cert", list, "has no certificate", { $0.cert = .pem(.file(list)) })
        try expectRefusals("cert", "", "has no certificate", { $0.cert = .pem(.bytes(garbage)) })
        try expectRefusals("key", "", "is not a PKCS#12 store", { $0.key = .pkcs12(.bytes(garbage), password: "") })
    }

    @Test("with damaged Base64, or cut short, is named")
    func damaged() throws {
        let files = [client.certificateFile, client.privateKeyFile, try authority.crlFile]
        for (index, file) in files.enumerated() {
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
            let texts = [
                // A character that is none of Base64's; a line less; no end.
                [lines[0], "!" + lines[1].dropFirst()] + lines[2...],
                [lines[0]] + lines[2...],
                Array(lines.dropLast()),
            ]
            for (number, text) in texts.enumerated() {
                let path = try folder.write(text.joined(separator: "\n") + "\n", to: "damaged\(index)\(number).pem")
                let source = FileSource.file(path)
                switch index {
                case 0:
                    try expectRefusals(
                        "cert", path, "has a certificate that cannot be read", { $0.cert = .pem(source) })
                    try expectRefusals(
                        "key.certFile", path, "has a certificate that cannot be read",
                        { [client] in $0.key = .pem(certFile: source, keyFile: .file(client.privateKeyFile)) })
                case 1:
                    try expectRefusals(
                        "key.keyFile", path, "",
                        { [client] in $0.key = .pem(certFile: .file(client.certificateFile), keyFile: source) })
                default:
                    try expectRefusals(
                        "certValidation", path, "has a revocation list that cannot be read",
                        { $0.certValidation = .crl(source, .soft) })
                }
            }
        }
        // One that is whole does not make up for one that is not.
        let whole = try String(contentsOfFile: authority.rootFile, encoding: .utf8)
        let half = try folder.write(whole + whole.prefix(200), to: "half.pem")
        try expectRefusals("cert", half, "has a certificate that cannot be read", { $0.cert = .pem(.file(half)) })
    }

    @Test("with a PKCS#12 store that is cut short or damaged is named")
    func damagedStore() throws {
        let bytes = try SettingsFixture.bytes(of: client.pkcs12File())
        for (number, kept) in [0.1, 0.5, 0.99].enumerated() {
            let path = folder.file("short\(number).p12")
            try Data(bytes.prefix(Int(Double(bytes.count) * kept))).write(to: URL(fileURLWithPath: path))
            try expectRefusals(
                "key", path, "is not a PKCS#12 store", { $0.key = .pkcs12(.file(path), password: "secret") })
        }
        var changed = bytes
        changed[bytes.count / 2] ^= 1
        try expectRefusals("key", "", "", { $0.key = .pkcs12(.bytes(changed), password: "secret") })
    }

    @Test("with a key of another certificate is named")
    func foreignKey() throws {
        let certificate = FileSource.file(client.certificateFile)
        for other in [try authority.client(.rsa), try authority.client(.ed25519), try authority.server(.good)] {
            let path = other.privateKeyFile
            try expectRefusals(
                "key.keyFile", path, "has a key that does not belong to the certificate",
                { $0.key = .pem(certFile: certificate, keyFile: .file(path)) })
        }
    }

    // MARK: - Encrypted

    @Test("with an encrypted key needs the password, and does not ask at the terminal for it")
    func encryptedKey() throws {
        let rsa = try authority.client(.rsa)
        for format in TestIdentity.EncryptedKeyFormat.allCases {
            let path = try rsa.encryptedKeyFile(format: format)
            let (certificate, key) = (FileSource.file(rsa.certificateFile), FileSource.file(path))
            try expectRefusals(
                "key.keyFile", path, "is an encrypted key, and there is no password for it",
                { $0.key = .pem(certFile: certificate, keyFile: key) })
            for password in ["wrong", "", "Secret", "secret ", String(repeating: "x", count: 4000)] {
                try expectRefusals(
                    "key.keyFile", path, "wrong password",
                    { $0.key = .pem(certFile: certificate, keyFile: key, keyPassword: password) })
            }
            let bytes = try FileSource.bytes(SettingsFixture.bytes(of: path))
            try expectRefusals(
                "key.keyFile", "", "wrong password",
                { $0.key = .pem(certFile: certificate, keyFile: bytes, keyPassword: "wrong") })
        }
    }

    @Test("that is a PKCS#12 store needs its password")
    func encryptedStore() throws {
        let (key, roots) = (try client.pkcs12File(), try authority.trustStoreFile())
        for password in ["wrong", "", "Secret", String(repeating: "x", count: 4000)] {
            try expectRefusals("key", key, "wrong password", { $0.key = .pkcs12(.file(key), password: password) })
            try expectRefusals(
                "cert", roots, "wrong password", { $0.cert = .pkcs12(.file(roots), password: password) })
        }
    }

    @Test("that is a PKCS#12 store of the other kind is named")
    func otherStore() throws {
        let roots = try authority.trustStoreFile()
        try expectRefusals(
            "key", roots, "has no private key with its certificate",
            { $0.key = .pkcs12(.file(roots), password: "secret") })
        let keyAlone = folder.file("key.p12")
        try OpenSSLCommand.run([
            "pkcs12", "-export", "-nocerts", "-inkey", client.privateKeyFile, "-passout", "pass:secret", "-out",
            keyAlone,
        ])
        try expectRefusals(
            "cert", keyAlone, "has no certificate", { $0.cert = .pkcs12(.file(keyAlone), password: "secret") })
        try expectRefusals(
            "key", keyAlone, "has no private key with its certificate",
            { $0.key = .pkcs12(.file(keyAlone), password: "secret") })
    }

    // MARK: - Directories

    @Test("that should be a directory with certificates, and is none, is named")
    func directories() throws {
        let missing = folder.file("missing")
        try expectRefusals("cert", missing, "cannot be read: No such file", { $0.cert = .directory(missing) })
        let plain = authority.rootFile
        try expectRefusals("cert", plain, "cannot be read: Not a directory", { $0.cert = .directory(plain) })
        let empty = folder.file("empty")
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        try expectRefusals("cert", empty, "has no certificate", { $0.cert = .directory(empty) })
        // What is there besides certificates does not make one, and does not block.
        #expect(mkfifo("\(empty)/pipe.pem", 0o600) == 0)
        try FileManager.default.createDirectory(atPath: "\(empty)/below.pem", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: plain, toPath: "\(empty)/.hidden.pem")
        try FileManager.default.createSymbolicLink(atPath: "\(empty)/gone.pem", withDestinationPath: "nowhere")
        try Data("nothing".utf8).write(to: URL(fileURLWithPath: "\(empty)/README"))
        try expectRefusals("cert", empty, "has no certificate", { $0.cert = .directory(empty) })
    }

    // MARK: - The key log

    @Test("for keys has to be one that can be written")
    func keyLog() throws {
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [folder.path, folder.file("missing/keys.txt"), pipe] {
            try expectRefusals("keyLog", path, "cannot be written: ", { $0.keyLog = .file(path) })
            try withEnvironment(["SSLKEYLOGFILE": path]) {
                try expectRefusals("keyLog", path, "cannot be written: ", { $0.keyLog = .environment })
            }
        }
    }
}
