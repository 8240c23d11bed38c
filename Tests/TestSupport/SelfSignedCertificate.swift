// A certificate for servers on loopback, made when a test wants it.

import Foundation

/// A certificate for 127.0.0.1, ::1 and localhost that vouches for itself, with its key, in a folder of its own that
/// goes with this object. The `openssl` command makes it.
package final class SelfSignedCertificate: Sendable {
    package let certificateFile: String
    package let privateKeyFile: String
    private let folder: TemporaryFolder

    package init() throws {
        folder = try TemporaryFolder("lws-test-certificate")
        certificateFile = folder.file("certificate.pem")
        privateKeyFile = folder.file("key.pem")
        try OpenSSLCommand.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost",
            "-keyout", privateKeyFile, "-out", certificateFile,
        ])
    }
}
