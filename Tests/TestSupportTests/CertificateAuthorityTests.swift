// The certificates that tests are given are what they are said to be.

import Foundation
import TestSupport
import Testing

@Suite("Certificate authority")
struct CertificateAuthorityTests {
    typealias ServerLeaf = CertificateAuthority.ServerLeaf
    private let authority: CertificateAuthority

    init() throws { authority = try CertificateAuthority.shared }

    @Test(
        "Each server's certificate verifies, or fails for the one reason it is made for",
        arguments: ServerLeaf.allCases)
    func serverLeaves(leaf: ServerLeaf) throws {
        let expected: String =
            switch leaf {
            case .wrongHost, .wildcard: "hostname mismatch"
            case .addressOnly: "ok"
            case .expired: "certificate has expired"
            case .notYetValid: "certificate is not yet valid"
            case .selfSigned: "self.signed certificate"
            case .unknownRoot: "unable to get local issuer certificate"
            case .revoked: "certificate revoked"
            case .weakKey: "EE certificate key too weak"
            case .wrongPurpose: "unsuitable certificate purpose|unsupported certificate purpose"
            case .good, .rsa, .ed25519, .commonNameOnly, .issuedByRoot: "ok"
            }
        let name = leaf == .addressOnly ? ["-verify_ip", "127.0.0.1"] : ["-verify_hostname", "localhost"]
        let crl = ["-crl_check_all", "-CRLfile", try authority.crlFile]
        // Without the list the other root's certificate would fail for want of one.
        let options = name + (leaf == .unknownRoot ? [] : crl) + ["-auth_level", "2", "-purpose", "sslserver"]
        let output = try verify(authority.server(leaf), options)
        #expect(output.range(of: expected, options: .regularExpression) != nil, "\(output)")
        if expected != "ok" { #expect(!output.contains(": OK"), "\(output)") }
    }

    @Test("Names of the wildcard and of the addresses")
    func names() throws {
        let wildcard = try authority.server(.wildcard)
        #expect(try verify(wildcard, ["-verify_hostname", "a.example.test"]) == "ok")
        #expect(try verify(wildcard, ["-verify_hostname", "example.test"]).contains("hostname mismatch"))
        #expect(try verify(authority.server(.addressOnly), ["-verify_ip", "::1"]) == "ok")
        #expect(try verify(authority.server(.addressOnly), ["-verify_hostname", "localhost"]) != "ok")
        #expect(try verify(authority.server(.good), ["-verify_ip", "::1"]) == "ok")
        let text = try OpenSSLCommand.run(
            ["x509", "-in", authority.server(.commonNameOnly).certificateFile, "-noout", "-text"])
        #expect(text.contains("CN = localhost") || text.contains("CN=localhost"))
        #expect(!text.contains("Alternative Name"))
    }

    @Test("A chain has the intermediate, a certificate alone has not")
    func chains() throws {
        #expect(try certificates(in: authority.server(.good).chainFile) == 2)
        #expect(try certificates(in: authority.server(.good).certificateFile) == 1)
        for leaf in [ServerLeaf.issuedByRoot, .selfSigned, .unknownRoot] {
            #expect(try certificates(in: authority.server(leaf).chainFile) == 1)
        }
    }

    @Test("What has been made is not made again")
    func once() throws {
        let first = try Data(contentsOf: URL(fileURLWithPath: authority.server(.good).certificateFile))
        let threads = try (0..<4).map { _ in
            try Background {
                let authority = try CertificateAuthority.shared
                return try Data(contentsOf: URL(fileURLWithPath: authority.server(.good).certificateFile))
            }
        }
        for thread in threads { #expect(try thread.value() == first) }
    }

    @Test("An authority of one's own takes its folder with it")
    func folder() throws {
        var identity: TestIdentity? = try CertificateAuthority().server(.good)
        let file = try #require(identity?.chainFile)
        #expect(FileManager.default.fileExists(atPath: file))
        identity = nil
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("Each client's certificate verifies, or not", arguments: CertificateAuthority.ClientLeaf.allCases)
    func clientLeaves(leaf: CertificateAuthority.ClientLeaf) throws {
        let output = try verify(authority.client(leaf), ["-purpose", "sslclient"])
        switch leaf {
        case .expired: #expect(output.contains("certificate has expired"))
        case .otherAuthority: #expect(output.contains("unable to get local issuer certificate"))
        case .ecdsa, .rsa, .ed25519: #expect(output == "ok")
        }
    }

    @Test("Encrypted keys open with their password alone", arguments: TestIdentity.EncryptedKeyFormat.allCases)
    func encryptedKeys(format: TestIdentity.EncryptedKeyFormat) throws {
        for leaf in [CertificateAuthority.ClientLeaf.ecdsa, .rsa] + (format == .pkcs8 ? [.ed25519] : []) {
            let file = try authority.client(leaf).encryptedKeyFile(password: "pass word/1", format: format)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.contains(format == .pkcs8 ? "BEGIN ENCRYPTED PRIVATE KEY" : "Proc-Type: 4,ENCRYPTED"))
            #expect(try opens(["pkey", "-in", file, "-noout"], "pass word/1"))
            #expect(try !opens(["pkey", "-in", file, "-noout"], "wrong"))
        }
    }

    @Test("PKCS#12 files hold what they are said to hold")
    func pkcs12() throws {
        let identity = try authority.client(.rsa)
        for (includesChain, count) in [(true, 2), (false, 1)] {
            let file = try identity.pkcs12File(includesChain: includesChain)
            let text = try OpenSSLCommand.run(["pkcs12", "-in", file, "-passin", "pass:secret", "-nodes"])
            #expect(text.components(separatedBy: "BEGIN CERTIFICATE").count - 1 == count)
            #expect(text.contains("BEGIN PRIVATE KEY"))
            #expect(try !opens(["pkcs12", "-in", file, "-noout"], "wrong"))
        }
        for (both, count) in [(true, 2), (false, 1)] {
            let file = try authority.trustStoreFile(includesOtherRoot: both)
            let text = try OpenSSLCommand.run(["pkcs12", "-in", file, "-passin", "pass:secret", "-nodes"])
            #expect(text.components(separatedBy: "BEGIN CERTIFICATE").count - 1 == count)
            #expect(!text.contains("PRIVATE KEY"))
        }
    }

    @Test("Bundles and folders of roots")
    func trust() throws {
        let leaf = try authority.server(.good).chainFile
        let rest = ["-untrusted", authority.intermediateFile, leaf]
        let alone = ["verify", "-no-CAfile", "-no-CApath"]
        #expect(try OpenSSLCommand.attempt(alone + ["-CAfile", authority.bundleFile] + rest).succeeded)
        #expect(try OpenSSLCommand.attempt(["verify", "-CApath", authority.hashedTrustFolder] + rest).succeeded)
        #expect(try !OpenSSLCommand.attempt(["verify", "-CApath", authority.trustFolder] + rest).succeeded)
        let names = try FileManager.default.contentsOfDirectory(atPath: authority.trustFolder)
        #expect(names.sorted() == ["README", "other.crt", "root.pem"])
    }

    @Test("Revocation lists that are missing or expired are noticed")
    func revocationLists() throws {
        let good = try authority.server(.good)
        #expect(try verify(good, ["-crl_check", "-CRLfile", authority.intermediateCRLFile]) == "ok")
        let partial = try verify(good, ["-crl_check_all", "-CRLfile", authority.intermediateCRLFile])
        #expect(partial.contains("unable to get certificate CRL"))
        let expired = try verify(good, ["-crl_check_all", "-CRLfile", authority.expiredCRLFile])
        #expect(expired.contains("CRL has expired"))
    }

    @Test("A pin is the hash of the public key, a fingerprint that of the certificate")
    func hashes() throws {
        let identity = try authority.server(.good)
        #expect(try identity.publicKeyPin().count == 32)
        #expect(
            try identity.publicKeyPin() == Array(try #require(Data(base64Encoded: identity.publicKeyPinBase64()))))
        #expect(try identity.publicKeyPin() != authority.server(.rsa).publicKeyPin())
        #expect(try identity.fingerprint().count == 64)
        #expect(try identity.fingerprint() != authority.server(.rsa).fingerprint())
    }

    /// "ok", or what `openssl verify` has against it.
    private func verify(_ identity: TestIdentity, _ options: [String]) throws -> String {
        let (succeeded, output) = try OpenSSLCommand.attempt(
            ["verify", "-no-CApath", "-CAfile", authority.rootFile, "-untrusted", authority.intermediateFile]
                + options
                + [identity.certificateFile])
        return succeeded ? "ok" : output
    }

    private func certificates(in file: String) throws -> Int {
        try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "BEGIN CERTIFICATE").count - 1
    }

    private func opens(_ arguments: [String], _ password: String) throws -> Bool {
        try OpenSSLCommand.attempt(arguments + ["-passin", "pass:\(password)"]).succeeded
    }
}
