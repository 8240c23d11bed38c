// Private keys that sign tokens, in files.

import Foundation

/// Makes keys when they are first asked for, with the `openssl` command. Their folder is removed with this object.
package final class TokenKeys: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case rsa, rsaPSS, p256, p384, p521, secp256k1, ed25519, ed448
        /// Of 512 bits: too few for a signature with SHA-512.
        case shortRSA

        fileprivate var options: [String] {
            switch self {
            case .rsa: ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            case .shortRSA: ["RSA", "-pkeyopt", "rsa_keygen_bits:512"]
            case .rsaPSS: ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]
            case .p256: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            case .p384: ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
            case .p521: ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]
            case .secp256k1: ["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]
            case .ed25519: ["ED25519"]
            case .ed448: ["ED448"]
            }
        }
    }

    package let folder: TemporaryFolder

    package init() throws { folder = try TemporaryFolder("lws-test-token-keys") }

    /// The path of a private key in PEM (PKCS#8). Another number is another key.
    package func file(_ kind: Kind, _ number: Int = 1) throws -> String {
        let name = "\(kind)-\(number).key"
        if !folder.has(name) {
            try OpenSSLCommand.run(["genpkey", "-algorithm"] + kind.options + ["-out", folder.file(name)])
        }
        return folder.file(name)
    }

    /// The same, encrypted with AES-256.
    package func encryptedFile(_ kind: Kind, password: String) throws -> String {
        let path = folder.file("\(kind).encrypted.key")
        try OpenSSLCommand.run(
            ["pkey", "-in", file(kind), "-aes-256-cbc", "-passout", "pass:\(password)", "-out", path])
        return path
    }

    /// The public half, in PEM.
    package func publicKey(_ kind: Kind, _ number: Int = 1) throws -> String {
        let path = folder.file("\(kind)-\(number).pub")
        try OpenSSLCommand.run(["pkey", "-in", file(kind, number), "-pubout", "-out", path])
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    /// The path of a PKCS#12 store with the keys of one kind numbered from 1, under these names; `nil`: without a name.
    package func store(
        _ kind: Kind, named names: [String?], password: String, options: [String] = CertificateAuthority.modernPKCS12
    ) throws -> String {
        let parts = try names.enumerated().map { index, name in
            let path = newPath()
            try OpenSSLCommand.run(
                ["pkcs12", "-export", "-nocerts", "-inkey", file(kind, index + 1), "-out", path]
                    + ["-passout", "pass:\(password)"] + (name.map { ["-name", $0] } ?? []) + options)
            return path
        }
        return parts.count > 1 ? try join(parts, password: password) : parts[0]
    }

    /// The path of a PKCS#12 store with what is in several; what has another password keeps it.
    package func join(_ stores: [String], password: String) throws -> String {
        let path = newPath()
        let process = try PeerProcess(python: "pkcs12_join.py", [password, path] + stores)
        guard try process.waitForExit() == .code(0) else { throw PeerError("pkcs12_join.py: \(process.output)") }
        return path
    }

    private func newPath() -> String { folder.file("\(UUID().uuidString).p12") }
}
