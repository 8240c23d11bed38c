// A certificate for servers on loopback, made when a test wants it.

import Foundation

/// A certificate for 127.0.0.1, ::1 and localhost that vouches for itself, with its key, in a folder of its own that
/// goes with this object. The `openssl` command makes it.
package final class SelfSignedCertificate: Sendable {
    package let certificateFile: String
    package let privateKeyFile: String
    private let folder: URL

    package init() throws {
        let name = "lws-test-certificate-\(UUID().uuidString)"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificateFile = folder.appendingPathComponent("certificate.pem").path
        privateKeyFile = folder.appendingPathComponent("key.pem").path
        let places = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map { $0 + "/openssl" }
        guard let openssl = places.first(where: { access($0, X_OK) == 0 }) else {
            throw PeerError("the openssl command is missing: install the package openssl")
        }
        let process = try PeerProcess(
            openssl,
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost",
                "-keyout", privateKeyFile, "-out", certificateFile,
            ])
        guard try process.waitForExit() == .code(0) else { throw PeerError("openssl: \(process.output)") }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}
