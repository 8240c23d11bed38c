// The keys of tokens, from files.

import Foundation
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("The key of a token")
struct TokenKeyTests {
    private let keys: TokenKeys
    private let password = "s3cr3t-pa55word"

    init() throws { keys = try TokenKeys() }

    /// The token is good for this key.
    private func expectSigned(
        _ config: JWTSignatureConfig, by kind: TokenKeys.Kind, _ number: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expectSigned(
            JWTAuthenticator(JWTIssuer(signatureConfig: config)), config.algorithm, by: kind, number,
            sourceLocation: sourceLocation)
    }

    private func expectSigned(
        _ authenticator: JWTAuthenticator, _ algorithm: String, by kind: TokenKeys.Kind, _ number: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (token, key) = (try authenticator.token(), try keys.publicKey(kind, number))
        #expect(throws: Never.self, sourceLocation: sourceLocation) {
            try TokenCheck.verify(token: token, key: key, algorithm: algorithm)
        }
    }

    /// What a handshake ends with, in words; it is no reason to try again, and has no secret in it.
    private func refusal(_ config: JWTSignatureConfig) throws -> String {
        let error = try #require(try TokenFixture.refusal(config))
        #expect(!error.isTransient)
        #expect(!"\(error) \(error.detail ?? "") \(String(reflecting: error))".contains(password))
        return error.description
    }

    @Test("is an encrypted PEM file's, with its password")
    func encrypted() throws {
        let file = FileSource.file(try keys.encryptedFile(.p256, password: password))
        try expectSigned(.key(.es256, .pem(keyFile: file, keyPassword: password)), by: .p256)
        let other = try refusal(.key(.es256, .pem(keyFile: file, keyPassword: password + "x")))
        #expect(other.hasPrefix("auth.signatureConfig.keyFile: \(file) cannot be decrypted: wrong password"))
        let none = try refusal(.key(.es256, .pem(keyFile: file)))
        #expect(none == "auth.signatureConfig.keyFile: \(file) is an encrypted key, and there is no password for it")
    }

    @Test("may be in memory")
    func inMemory() throws {
        let contents = try Data(contentsOf: URL(filePath: try keys.file(.ed25519)))
        try expectSigned(.key(.edDSA, .pem(keyFile: .bytes(contents))), by: .ed25519)
        let store = try Data(contentsOf: URL(filePath: try keys.store(.rsa, named: ["a"], password: password)))
        try expectSigned(.key(.rs256, .pkcs12(.bytes(store), password: password)), by: .rsa)
    }

    @Test("is named with its field where its file is missing or has no key")
    func unreadable() throws {
        let missing = keys.folder.file("missing.key")
        #expect(
            try refusal(.key(.rs256, .pem(keyFile: .file(missing))))
                == "auth.signatureConfig.keyFile: \(missing) cannot be read: No such file or directory")
        #expect(
            try refusal(.key(.rs256, .pkcs12(.file(missing), password: password)))
                == "auth.signatureConfig.keyStore: \(missing) cannot be read: No such file or directory")
        let text = try keys.folder.write(password, to: "text")
        #expect(
            try refusal(.key(.rs256, .pem(keyFile: .file(text))))
                == "auth.signatureConfig.keyFile: \(text) has no private key in PEM form")
        #expect(
            try refusal(.key(.rs256, .pkcs12(.file(text), password: password)))
                == "auth.signatureConfig.keyStore: \(text) is not a PKCS#12 store")
        let damaged = "-----BEGIN PRIVATE KEY-----\n\(password)\n-----END PRIVATE KEY-----\n"
        #expect(
            try refusal(.key(.rs256, .pem(keyFile: .bytes(Array(damaged.utf8)))))
                == "auth.signatureConfig.keyFile: what is in memory is not a readable key")
    }

    @Test(
        "is refused where it is of another kind or curve",
        arguments: [
            (JWTSignatureConfig.KeyAlgorithm.rs256, TokenKeys.Kind.p256, "RSA"), (.rs512, .ed25519, "RSA"),
            (.rs256, .rsaPSS, "RSA"), (.es256, .rsa, "the curve P-256"), (.es256, .p384, "the curve P-256"),
            (.es256, .secp256k1, "the curve P-256"), (.es384, .p521, "the curve P-384"),
            (.es512, .p256, "the curve P-521"), (.es512, .ed448, "the curve P-521"),
            (.edDSA, .p256, "Ed25519 or Ed448"), (.edDSA, .rsa, "Ed25519 or Ed448"),
        ])
    func kind(_ algorithm: JWTSignatureConfig.KeyAlgorithm, _ kind: TokenKeys.Kind, _ wanted: String) throws {
        let path = try keys.file(kind)
        #expect(
            try refusal(.key(algorithm, .pem(keyFile: .file(path))))
                == "auth.signatureConfig.keyFile: \(path) has a key of another kind: \(algorithm.rawValue) needs one of "
                + wanted)
    }

    @Test("may be shorter than RFC 7518 asks for, as far as that works")
    func short() throws {
        let path = try keys.file(.shortRSA)
        let signer = try TokenFixture.signer(.key(.rs256, .pem(keyFile: .file(path))))
        #expect(try signer?.sign([1]).count == 64)
        #expect(
            try refusal(.key(.rs512, .pem(keyFile: .file(path))))
                == "auth.signatureConfig.keyFile: \(path) has a key that does not sign")
        #expect(try TokenFixture.signer(.hmac(.hs512, secret: "x"))?.sign([]).count == 64)
    }

    @Test("is chosen by its alias among those of a PKCS#12 store")
    func alias() throws {
        let path = try keys.store(.p256, named: ["One", "two", nil, "TWO", "Öl"], password: password)
        func config(_ alias: String?) -> JWTSignatureConfig {
            .key(.es256, .pkcs12(.file(path), alias: alias, password: password))
        }
        for (alias, number) in [("One", 1), ("ONE", 1), ("two", 2), ("TWO", 4), ("Öl", 5), ("öl", 5)] {
            try expectSigned(config(alias), by: .p256, number)
        }
        let field = "auth.signatureConfig.keyStore: \(path)"
        #expect(try refusal(config("three")) == "\(field) has no key with the alias \"three\"")
        #expect(try refusal(config("Two")) == "\(field) has several keys with that alias")
        #expect(try refusal(config(nil)) == "\(field) has several keys, and there is no alias to tell which")
    }

    @Test("is the only one of a PKCS#12 store")
    func only() throws {
        let path = try keys.store(.rsa, named: [nil], password: password)
        try expectSigned(.key(.rs384, .pkcs12(.file(path), password: password)), by: .rsa)
        #expect(
            try refusal(.key(.rs384, .pkcs12(.file(path), password: password + "x")))
                == "auth.signatureConfig.keyStore: \(path) cannot be opened: wrong password")
        #expect(
            try refusal(.key(.es256, .pkcs12(.file(path), password: password)))
                .hasPrefix("auth.signatureConfig.keyStore: \(path) has a key of another kind"))
        let trust = try CertificateAuthority.shared.trustStoreFile(password: password)
        #expect(
            try refusal(.key(.rs384, .pkcs12(.file(trust), password: password)))
                == "auth.signatureConfig.keyStore: \(trust) has no private key")
    }

    @Test("is found in a PKCS#12 store with its certificates, without a password, or not encrypted")
    func otherStores() throws {
        let identity = try CertificateAuthority.shared.client(.ecdsa)
        let file = FileSource.file(try identity.pkcs12File())
        let signer = try TokenFixture.signer(.key(.es256, .pkcs12(file, alias: "TEST", password: "secret")))
        #expect(try signer?.sign([1, 2, 3]).count == 64)
        let plain = ["-keypbe", "NONE", "-certpbe", "NONE"]
        for (password, options) in [
            ("", CertificateAuthority.modernPKCS12), (password, plain), (password, plain + ["-nomac"]),
            ("", plain + ["-nomac"]), (password, CertificateAuthority.modernPKCS12 + ["-nomac"]),
        ] {
            let path = try keys.store(.p384, named: ["a"], password: password, options: options)
            try expectSigned(.key(.es384, .pkcs12(.file(path), alias: "a", password: password)), by: .p384)
        }
    }

    @Test("is found in a PKCS#12 store of which something else cannot be decrypted")
    func partlyUnreadable() throws {
        let own = try keys.store(.p256, named: ["own"], password: password)
        // Its key cannot be decrypted, and of the other one all that there is.
        let other = try keys.store(.p256, named: ["other"], password: "other")
        let trust = try CertificateAuthority.shared.trustStoreFile(password: "other")
        let path = try keys.join([other, trust, own], password: password)
        func config(_ alias: String?) -> JWTSignatureConfig {
            .key(.es256, .pkcs12(.file(path), alias: alias, password: password))
        }
        try expectSigned(config("own"), by: .p256)
        let unreadable =
            "auth.signatureConfig.keyStore: \(path) cannot be decrypted: it is damaged, or a part of it has another"
        #expect(try refusal(config("other")).hasPrefix(unreadable))
        #expect(try refusal(config("third")).hasPrefix(unreadable))
        #expect(try refusal(config(nil)).contains("has several keys"))
    }

    @Test("is read again when its file has changed, and only then")
    func changes() throws {
        let path = keys.folder.file("current.key")
        func install(_ number: Int) throws {
            try Data(contentsOf: URL(filePath: try keys.file(.p256, number)))
                .write(to: URL(filePath: path), options: .atomic)
        }
        try install(1)
        let config = JWTSignatureConfig.key(.es256, .pem(keyFile: .file(path)))
        let cache = SignerCache(config, "auth.signatureConfig")
        let authenticator = JWTAuthenticator(JWTIssuer(signatureConfig: config))
        let first = try #require(try cache.signer())
        #expect(try cache.signer() === first)
        try expectSigned(authenticator, "ES256", by: .p256, 1)
        try install(2)
        let second = try #require(try cache.signer())
        #expect(second !== first)
        #expect(try cache.signer() === second)
        try expectSigned(authenticator, "ES256", by: .p256, 2)
        try FileManager.default.removeItem(atPath: path)
        #expect(failure { try cache.signer() }?.code == .auth)
        try install(1)
        try expectSigned(authenticator, "ES256", by: .p256, 1)
    }
}
