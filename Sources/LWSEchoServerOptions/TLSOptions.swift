// The options for the echo server's TLS.

import ArgumentParser
import LWSEchoServer

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The options for the echo server's TLS. Without `--tls-cert` there is no TLS, and the others are usage errors.
package struct TLSOptions: ParsableArguments {
    @Option(name: .customLong("tls-cert"), help: "A PEM file with the certificate and its chain: listens with TLS.")
    var certificateFile: String?

    @Option(name: .customLong("tls-key"), help: "A PEM file with the certificate's private key.")
    var keyFile: String?

    @Option(
        name: .customLong("tls-key-password-file"),
        help: "A file whose first line is the password of an encrypted private key.")
    var keyPasswordFile: String?

    @Option(
        name: .customLong("tls-client-ca"),
        help: "A PEM file with authorities; clients have to show a certificate of one of them.")
    var clientAuthorityFile: String?

    @Option(
        name: .customLong("tls-version"),
        help: "A version to accept, 1.2 or 1.3; may be repeated. (default: both)")
    var versions: [String] = []

    @Option(name: .customLong("tls-ciphers"), help: "The ciphers of TLS 1.2, in OpenSSL's form.")
    var ciphers: String?

    @Option(name: .customLong("tls-ciphersuites"), help: "The cipher suites of TLS 1.3, separated by colons.")
    var cipherSuites: String?

    package init() {}

    package func validate() throws {
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw ValidationError("--tls-cert and --tls-key go together")
        }
        guard versions.allSatisfy({ EchoServer.TLS.Version(rawValue: $0) != nil }) else {
            throw ValidationError("--tls-version is 1.2 or 1.3")
        }
        guard certificateFile == nil else { return }
        let others = [
            ("--tls-key-password-file", keyPasswordFile != nil), ("--tls-client-ca", clientAuthorityFile != nil),
            ("--tls-version", !versions.isEmpty), ("--tls-ciphers", ciphers != nil),
            ("--tls-ciphersuites", cipherSuites != nil),
        ]
        for (name, isGiven) in others where isGiven {
            throw ValidationError("\(name) goes with --tls-cert and --tls-key")
        }
    }

    /// What the options say; `nil` without TLS. Reads the file of the password.
    func configuration() throws(EchoServerError) -> EchoServer.TLS? {
        guard let certificateFile, let keyFile else { return nil }
        var tls = EchoServer.TLS(certificateFile: certificateFile, privateKeyFile: keyFile)
        if let keyPasswordFile { tls.privateKeyPassword = try Self.firstLine(of: keyPasswordFile) }
        tls.clientCertificateAuthority = clientAuthorityFile
        if !versions.isEmpty { tls.protocols = Set(versions.compactMap { EchoServer.TLS.Version(rawValue: $0) }) }
        tls.ciphers = ciphers
        tls.cipherSuites = cipherSuites
        return tls
    }

    /// A file's first line without its end.
    private static func firstLine(of path: String) throws(EchoServerError) -> String {
        func failure() -> EchoServerError {
            .unreadableFile(path: path, reason: String(cString: strerror(errno)))
        }
        guard let file = fopen(path, "r") else { throw failure() }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        let count = getline(&line, &capacity, file)
        guard count >= 0, let line else {
            if ferror(file) != 0 { throw failure() }
            return ""  // the file is empty
        }
        var bytes = UnsafeRawBufferPointer(start: line, count: count)[...]
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
