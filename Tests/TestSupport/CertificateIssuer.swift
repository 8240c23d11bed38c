// One certificate with its key that issues others: a root, or an intermediate.

import Foundation

/// A certificate authority of the `openssl ca` command, with its database, in a folder of its own. Not safe for two
/// threads at a time: ``CertificateAuthority`` lets one in.
struct CertificateIssuer: Sendable {
    /// What a certificate is to say.
    struct Request {
        var subject: String
        var key: KeyType = .ecdsa
        /// Lines of OpenSSL's extension syntax.
        var extensions: [String]
        /// Days from now at which it begins and ends to be valid.
        var begins = -1.0
        var ends = 7.0
    }

    /// The kinds of key that a certificate can have.
    enum KeyType: Sendable {
        case ecdsa
        case rsa(bits: Int)
        case ed25519

        var arguments: [String] {
            switch self {
            case .ecdsa: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
            case .rsa(let bits): ["-newkey", "rsa:\(bits)"]
            case .ed25519: ["-newkey", "ed25519"]
            }
        }
    }

    static let authorityExtensions = [
        "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash",
    ]

    let folder: URL
    var certificateFile: String { file("certificate.pem") }
    var privateKeyFile: String { file("key.pem") }
    private var configurationFile: String { file("ca.cnf") }

    /// A root of its own.
    init(rootIn folder: URL, subject: String) throws {
        self.folder = folder
        try makeFolder()
        let request = Request(subject: subject, extensions: Self.authorityExtensions)
        try Self.makeSelfSigned(request, certificate: certificateFile, key: privateKeyFile, folder: folder)
    }

    /// An intermediate, issued by another.
    init(in folder: URL, subject: String, issuedBy issuer: CertificateIssuer) throws {
        self.folder = folder
        try makeFolder()
        let extensions = Self.authorityExtensions + ["authorityKeyIdentifier=keyid"]
        let request = Request(subject: subject, extensions: extensions)
        try issuer.issue(request, certificate: certificateFile, key: privateKeyFile)
    }

    /// One that has been made before.
    init(existingIn folder: URL) { self.folder = folder }

    private func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func makeFolder() throws {
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("issued"), withIntermediateDirectories: true)
        // `new_certs_dir` gets a copy of each; serial numbers are at random.
        let text = """
            [ca]
            default_ca = this
            [this]
            database = \(file("index.txt"))
            new_certs_dir = \(file("issued"))
            certificate = \(certificateFile)
            private_key = \(privateKeyFile)
            rand_serial = yes
            default_md = sha256
            default_days = 7
            default_crl_days = 7
            unique_subject = no
            policy = any
            [any]
            commonName = supplied
            """
        try Data((text + "\n").utf8).write(to: folder.appendingPathComponent("ca.cnf"))
        try Data().write(to: folder.appendingPathComponent("index.txt"))
    }

    /// Makes a key and a certificate for it.
    func issue(_ request: Request, certificate: String, key: String) throws {
        let signingRequest = file("request.csr")
        try OpenSSLCommand.run(
            ["req", "-new", "-nodes", "-subj", request.subject, "-config", try Self.requestConfiguration(folder)]
                + request.key.arguments + ["-keyout", key, "-out", signingRequest])
        let extensions = file("extensions.cnf")
        try Data((request.extensions.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: extensions))
        try OpenSSLCommand.run([
            "ca", "-batch", "-notext", "-config", configurationFile, "-extfile", extensions, "-in", signingRequest,
            "-startdate", Self.time(request.begins), "-enddate", Self.time(request.ends), "-out", certificate,
        ])
    }

    /// Enters a certificate into the list of those that are revoked, with the reason "key compromise".
    func revoke(_ certificate: String) throws {
        try OpenSSLCommand.run([
            "ca", "-config", configurationFile, "-revoke", certificate, "-crl_reason", "keyCompromise",
        ])
    }

    /// Makes a revocation list of all that has been revoked so far.
    /// - Parameter isExpired: its next update was due a day ago. Asks for OpenSSL 3.0 or newer.
    func makeRevocationList(_ output: String, isExpired: Bool = false) throws {
        let times = isExpired ? ["-crl_lastupdate", Self.time(-3), "-crl_nextupdate", Self.time(-1)] : []
        try OpenSSLCommand.run(["ca", "-gencrl", "-config", configurationFile, "-out", output] + times)
    }

    /// Makes a key and a certificate that vouches for itself.
    static func makeSelfSigned(_ request: Request, certificate: String, key: String, folder: URL) throws {
        let lines = request.extensions
        let configuration = try requestConfiguration(folder, extensions: lines)
        try OpenSSLCommand.run(
            [
                "req", "-x509", "-new", "-nodes", "-days", "7", "-subj", request.subject, "-config", configuration,
                "-extensions", "these",
            ] + request.key.arguments + ["-keyout", key, "-out", certificate])
    }

    /// Instead of the system's, which would add extensions of its own.
    private static func requestConfiguration(_ folder: URL, extensions: [String] = []) throws -> String {
        let file = folder.appendingPathComponent("req.cnf")
        let lines = ["[req]", "distinguished_name = name", "[name]", "[these]"] + extensions
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
        return file.path
    }

    /// A time as ASN.1 writes it, so many days from now.
    static func time(_ daysFromNow: Double) -> String {
        var seconds = time_t(Date().timeIntervalSince1970 + daysFromNow * 86400)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y%m%d%H%M%SZ", &parts)
        return String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
