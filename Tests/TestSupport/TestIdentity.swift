// A certificate with its key, in every form that a configuration may ask for.

import Foundation

/// A certificate that a ``CertificateAuthority`` made, and its private key. It keeps the authority's folder.
package struct TestIdentity: Sendable {
    /// How an encrypted private key is written.
    package enum EncryptedKeyFormat: String, Sendable, CaseIterable {
        /// "BEGIN ENCRYPTED PRIVATE KEY"
        case pkcs8
        /// "Proc-Type: 4,ENCRYPTED", which there is for RSA and EC keys alone
        case traditional
    }

    let authority: CertificateAuthority
    let name: String
    /// The certificate of the one that issued it, in PEM; not meaningful for a self-signed one.
    package let issuerFile: String

    /// The certificate alone, in PEM.
    package var certificateFile: String { authority.folder.file("\(name).pem") }

    /// The certificate and, where it issued it, the intermediate's, in PEM: what a server is to send.
    package var chainFile: String { authority.folder.file("\(name).chain.pem") }

    /// The private key, not encrypted, in PEM (PKCS#8).
    package var privateKeyFile: String { authority.folder.file("\(name).key") }

    /// The private key, encrypted with AES-256, in PEM.
    package func encryptedKeyFile(
        password: String = "secret", format: EncryptedKeyFormat = .pkcs8
    ) throws -> String {
        try authority.file("\(name).\(format).\(Self.digest(password)).key") { output in
            let form = format == .traditional ? ["-traditional"] : []
            try OpenSSLCommand.run(
                ["pkey", "-in", privateKeyFile, "-aes-256-cbc", "-passout", "pass:\(password)", "-out", output] + form
            )
        }
    }

    /// Key and certificate as PKCS#12, encrypted with AES-256 (PBES2), under the name "test".
    /// - Parameter includesChain: it holds the intermediate's certificate too.
    package func pkcs12File(password: String = "secret", includesChain: Bool = true) throws -> String {
        try authority.file("\(name).\(includesChain ? "chain." : "")\(Self.digest(password)).p12") { output in
            try OpenSSLCommand.run(
                ["pkcs12", "-export", "-inkey", privateKeyFile, "-in", includesChain ? chainFile : certificateFile]
                    + ["-name", "test", "-passout", "pass:\(password)", "-out", output]
                    + CertificateAuthority.modernPKCS12)
        }
    }

    /// SHA-256 of the public key's SubjectPublicKeyInfo in DER (RFC 7469, section 2.4): 32 bytes.
    package func publicKeyPin() throws -> [UInt8] {
        let file = try authority.file("\(name).pin") { output in
            let (pem, der) = (output + ".pem", output + ".der")
            try OpenSSLCommand.run(["x509", "-in", certificateFile, "-noout", "-pubkey", "-out", pem])
            try OpenSSLCommand.run(["pkey", "-pubin", "-in", pem, "-outform", "DER", "-out", der])
            try OpenSSLCommand.run(["dgst", "-sha256", "-binary", "-out", output, der])
        }
        return try Array(Data(contentsOf: URL(fileURLWithPath: file)))
    }

    /// The pin in base64, without "sha256/" before it.
    package func publicKeyPinBase64() throws -> String { Data(try publicKeyPin()).base64EncodedString() }

    /// SHA-256 of the certificate in DER: 64 upper-case hexadecimal digits, without colons.
    package func fingerprint() throws -> String {
        let file = try authority.file("\(name).fingerprint") { output in
            try OpenSSLCommand.run(
                ["x509", "-in", certificateFile, "-noout", "-fingerprint", "-sha256", "-out", output])
        }
        let digits = try String(contentsOfFile: file, encoding: .utf8).split(separator: "=").last ?? ""
        return digits.filter(\.isHexDigit)
    }

    /// The serial number in upper-case hexadecimal digits.
    package func serialNumber() throws -> String {
        let output = try OpenSSLCommand.run(["x509", "-in", certificateFile, "-noout", "-serial"])
        return String((output.split(separator: "=").last ?? "").filter(\.isHexDigit))
    }

    /// For file names: a password may have any character.
    static func digest(_ password: String) -> String {
        SHA1.digest(Array(password.utf8)).prefix(6).map { String($0, radix: 16) }.joined(separator: "-")
    }
}
