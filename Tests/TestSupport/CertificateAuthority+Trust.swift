// The root in every form in which a client may be told to trust it.

import Foundation

extension CertificateAuthority {
    /// What OpenSSL 3 encrypts PKCS#12 with by itself, said for 1.1.1, whose own choice version 3 cannot read.
    package static let modernPKCS12 = ["-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256"]

    /// A PKCS#12 trust store: it holds the root's certificate and no key.
    /// - Parameter includesOtherRoot: it holds the other root too, as its first.
    package func trustStoreFile(password: String = "secret", includesOtherRoot: Bool = false) throws -> String {
        let name = "trust.\(includesOtherRoot ? "both." : "")\(TestIdentity.digest(password)).p12"
        return try file(name) { output in
            try OpenSSLCommand.run(
                ["pkcs12", "-export", "-nokeys", "-in", includesOtherRoot ? bundleFile : rootFile]
                    + ["-passout", "pass:\(password)", "-out", output] + Self.modernPKCS12)
        }
    }

    /// A PEM file with two roots: the other one first, then this authority's, with comments around them as such
    /// bundles have.
    package var bundleFile: String {
        get throws {
            try file("bundle.pem") { output in
                let texts = try [otherRootFile, rootFile].map { try String(contentsOfFile: $0, encoding: .utf8) }
                let text = "# Two roots\n\n" + texts.joined(separator: "\n# The next one\n")
                try Data(text.utf8).write(to: URL(fileURLWithPath: output))
            }
        }
    }

    /// A folder of PEM files with plain names: root.pem, other.crt, and a README that is no certificate.
    package var trustFolder: String {
        get throws {
            try file("trust-folder") { folder in
                try copyRoots(into: folder)
                let text = "The roots that the tests trust.\n"
                try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/README"))
            }
        }
    }

    /// A folder as `openssl rehash` leaves it: beside the PEM files, links with the hash of each subject as name. An
    /// OpenSSL that is given a folder looks for those alone.
    package var hashedTrustFolder: String {
        get throws {
            try file("trust-folder-hashed") { folder in
                try copyRoots(into: folder)
                try OpenSSLCommand.run(["rehash", folder])
            }
        }
    }

    private func copyRoots(into folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: rootFile, toPath: folder + "/root.pem")
        try FileManager.default.copyItem(atPath: otherRootFile, toPath: folder + "/other.crt")
    }
}
