// Certificates, keys, revocation lists and PKCS#12 stores, damaged.

import Foundation
import LWSWebSocket
package import TestSupport

/// Whole files to begin with, made once with the openssl command.
package struct KeyFiles: Sendable {
    private let stores: [[UInt8]]
    private let texts: [[UInt8]]
    private let root: [UInt8]
    private static let password = "secret"

    package init(_ authority: CertificateAuthority) throws {
        func bytes(_ file: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: file))) }
        root = try bytes(authority.rootFile)
        let folder = try TemporaryFolder("lws-fuzz-files")
        /// One iteration in deriving keys: with the usual thousands that is all that a run would do.
        func made(_ name: String, _ arguments: [String]) throws -> [UInt8] {
            try OpenSSLCommand.run(
                arguments + ["-iter", "1", "-passout", "pass:\(Self.password)", "-out", folder.file(name)])
            return try bytes(folder.file(name))
        }
        let leaves = try [CertificateAuthority.ClientLeaf.ecdsa, .rsa, .ed25519].map { try authority.client($0) }
        stores =
            try leaves.map {
                try made(
                    "key.p12",
                    ["pkcs12", "-export", "-inkey", $0.privateKeyFile, "-in", $0.chainFile, "-name", "test"]
                        + CertificateAuthority.modernPKCS12)
            } + [
                made(
                    "trust.p12",
                    ["pkcs12", "-export", "-nokeys", "-in", authority.rootFile] + CertificateAuthority.modernPKCS12)
            ]
        let plain = leaves.flatMap { [$0.certificateFile, $0.privateKeyFile] }
        let traditional = try leaves.prefix(2).map {
            try $0.encryptedKeyFile(password: Self.password, format: .traditional)
        }
        texts =
            try (plain + traditional + [authority.crlFile, authority.rootFile, authority.bundleFile]).map(bytes)
            + leaves.map {
                try made("key.pem", ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", $0.privateKeyFile])
            }
    }

    /// Settings with a file that is damaged, or is another than it should be.
    func settings(_ choices: inout Choices) -> ClientSecureSocket {
        var settings = ClientSecureSocket()
        // The system's roots take longer to read than all the rest.
        settings.cert = .pem(.bytes(root))
        if choices.once(in: 2) {
            let store = store(&choices)
            let password = choices.once(in: 8) ? choices.text(choices.int(0...5)) : Self.password
            if choices.once(in: 2) {
                settings.key = .pkcs12(.bytes(store), password: password)
            } else {
                settings.cert = .pkcs12(.bytes(store), password: password)
            }
            return settings
        }
        switch choices.int(0...3) {
        case 0: settings.cert = .pem(.bytes(text(&choices)))
        case 1: settings.certValidation = .crl(.bytes(text(&choices)))
        default:
            settings.key = .pem(
                certFile: .bytes(text(&choices)), keyFile: .bytes(text(&choices)),
                keyPassword: choices.once(in: 3) ? nil : Self.password)
        }
        return settings
    }

    private func store(_ choices: inout Choices) -> [UInt8] {
        var bytes = choices.pick(stores)
        switch choices.int(0...9) {
        case 0: bytes = choices.bytes(choices.size(upTo: 4000))
        case 1: bytes = nested(choices.int(1...2000))
        case 2: bytes.insert(contentsOf: choices.pick(stores), at: choices.int(0...bytes.count))
        default: choices.damage(&bytes)
        }
        return bytes
    }

    /// Sequences within sequences.
    private func nested(_ depth: Int) -> [UInt8] {
        (0..<depth).flatMap { _ in [0x30, 0x80] as [UInt8] } + [UInt8](repeating: 0, count: depth * 2)
    }

    /// Damage to the text, or to what the base64 in it stands for.
    private func text(_ choices: inout Choices) -> [UInt8] {
        var bytes = choices.pick(texts)
        switch choices.int(0...9) {
        case 0: bytes = choices.bytes(choices.size(upTo: 4000))
        case 1: bytes += choices.pick(texts)
        case 2: choices.damage(&bytes)
        case 3: break
        default: bytes = recoded(bytes, &choices)
        }
        return bytes
    }

    private func recoded(_ text: [UInt8], _ choices: inout Choices) -> [UInt8] {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        guard let first = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN") }),
            let last = lines[first...].firstIndex(where: { $0.hasPrefix("-----END") }),
            var der = Data(base64Encoded: lines[(first + 1)..<last].joined()).map({ Array($0) })
        else { return text }
        choices.damage(&der)
        let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return Array("\(lines[first])\n\(body)\n\(lines[last])\n".utf8)
    }
}
