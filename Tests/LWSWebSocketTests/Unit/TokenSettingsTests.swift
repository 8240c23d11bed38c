// The settings of tokens: what is valid, and how they are written in JSON.

import Foundation
import Testing

@testable import LWSWebSocket

@Suite("The settings of a token")
struct TokenSettingsTests {
    private func read(_ json: String) throws -> JWTIssuer {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
        do throws(JSONField.Mistake) { return try JSONField(value, FieldPath([.key("auth")])).jwtIssuer() } catch {
            throw WebSocketError(.invalidArgument, error.words)
        }
    }

    private func issuer(_ change: (inout JWTIssuer) -> Void) -> JWTIssuer {
        var issuer = JWTIssuer(signatureConfig: .hmac(.hs256, secret: "x"))
        change(&issuer)
        return issuer
    }

    private func mistake(_ change: (inout JWTIssuer) -> Void) -> WebSocketError? {
        let issuer = issuer(change)
        return failure {
            var configuration = ClientConfiguration()
            configuration.auth = .jwt(issuer)
            return try WebSocketClient(unconnected: "ws://127.0.0.1:9/", configuration: configuration)
        }
    }

    @Test("have the contract's defaults")
    func defaults() {
        let issuer = JWTIssuer(signatureConfig: .none)
        #expect(issuer.issuer == nil && issuer.username == nil && issuer.jwtId == nil && issuer.keyId == nil)
        #expect(issuer.audience.isEmpty && issuer.customClaims.isEmpty)
        #expect(issuer.expTime == .seconds(300))
    }

    @Test("that are not valid are found when a client is made, by their field")
    func mistakes() {
        let deep = (0..<63).reduce(JSONValue.array([])) { value, _ in [value] }
        let mistakes: [((inout JWTIssuer) -> Void, String)] = [
            ({ $0.issuer = "" }, "auth.issuer: it is empty"), ({ $0.username = "" }, "auth.username: it is empty"),
            ({ $0.jwtId = "" }, "auth.jwtId: it is empty"), ({ $0.keyId = "" }, "auth.keyId: it is empty"),
            ({ $0.audience = ["a", ""] }, "auth.audience: it is empty"),
            ({ $0.expTime = .milliseconds(999) }, "auth.expTime: "), ({ $0.expTime = .zero }, "auth.expTime: "),
            ({ $0.expTime = .seconds(-1) }, "auth.expTime: "),
            ({ $0.expTime = .seconds(Int64.max) }, "auth.expTime: "),
            ({ $0.customClaims = ["a": .number(.nan)] }, "auth.customClaims: "),
            ({ $0.customClaims = ["a": ["b": [1, .number(.infinity)]]] }, "auth.customClaims: "),
            ({ $0.customClaims = ["a": deep] }, "auth.customClaims: "),
            ({ $0.signatureConfig = .hmac(.hs256, secret: "") }, "auth.signatureConfig.secret: it is empty"),
            ({ $0.signatureConfig = .hmac(.hs256, secret: [UInt8]()) }, "auth.signatureConfig.secret: it is empty"),
            ({ $0.signatureConfig = .key(.rs256, .pem(keyFile: "")) }, "auth.signatureConfig.keyFile: "),
            (
                { $0.signatureConfig = .key(.rs256, .pem(keyFile: .bytes([]))) },
                "auth.signatureConfig.keyFile: it is empty"
            ),
            ({ $0.signatureConfig = .key(.rs256, .pkcs12("", password: "")) }, "auth.signatureConfig.keyStore: "),
            (
                { $0.signatureConfig = .key(.rs256, .pkcs12("p", alias: "", password: "")) },
                "auth.signatureConfig.keyAlias: it is empty"
            ),
        ]
        for (index, (change, words)) in mistakes.enumerated() {
            let error = mistake(change)
            #expect(error?.code == .invalidArgument, "\(index)")
            #expect(error?.description.hasPrefix(words) == true, "\(index): \(error?.description ?? "none")")
        }
        for name in ["iss", "sub", "aud", "jti", "exp", "nbf", "iat"] {
            let error = mistake { $0.customClaims = [name: 1, "zzz": 1] }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.hasPrefix("auth.customClaims: \(name) is a claim") == true)
        }
    }

    @Test("may be at the limits of what is valid")
    func limits() throws {
        let deep = (0..<62).reduce(JSONValue.array([])) { value, _ in [value] }
        for issuer in [
            issuer { $0.expTime = .seconds(1) }, issuer { $0.customClaims = ["a": deep, "Iss": 1, "": ""] },
            issuer { $0.expTime = .seconds(100 * 365 * 24 * 3600) },
            issuer { $0.signatureConfig = .key(.rs256, .pkcs12("missing", password: "")) },
        ] { try issuer.validate("auth") }
        let claims = try TokenFixture.unverified(TokenFixture.token(issuer { $0.customClaims = ["a": deep] })).claims
        #expect(claims["a"] == deep)
    }

    @Test("are read from JSON, all of them")
    func everyMember() throws {
        let issuer = try read(
            """
            {"issuer": "i", "username": "u", "audience": ["a", "b"], "jwtId": "j", "keyId": "k", "expTime": 12.5,
             "customClaims": {"x": [1, null, {"y": 2.5}]},
             "signatureConfig": {"algorithm": "RS256", "config": {"keyFile": "f", "keyPassword": "p"}}}
            """)
        var expected = JWTIssuer(signatureConfig: .key(.rs256, .pem(keyFile: "f", keyPassword: "p")))
        (expected.issuer, expected.username, expected.audience) = ("i", "u", ["a", "b"])
        (expected.jwtId, expected.keyId, expected.expTime) = ("j", "k", .milliseconds(12500))
        expected.customClaims = ["x": [1, nil, ["y": 2.5]]]
        #expect(issuer == expected)
    }

    @Test(
        "have each signature that there is",
        arguments: [
            (#"{"algorithm": "NONE"}"#, JWTSignatureConfig.none), (#"{"algorithm": "NONE", "config": null}"#, .none),
            (#"{"algorithm": "HS256", "config": "s"}"#, .hmac(.hs256, secret: "s")),
            (#"{"algorithm": "HS384", "config": "s"}"#, .hmac(.hs384, secret: "s")),
            (#"{"algorithm": "HS512", "config": "ö"}"#, .hmac(.hs512, secret: [0xc3, 0xb6])),
            (#"{"algorithm": "RS384", "config": {"keyFile": "f"}}"#, .key(.rs384, .pem(keyFile: "f"))),
            (#"{"algorithm": "RS512", "config": {"keyFile": "f"}}"#, .key(.rs512, .pem(keyFile: "f"))),
            (#"{"algorithm": "ES256", "config": {"keyFile": "f"}}"#, .key(.es256, .pem(keyFile: "f"))),
            (#"{"algorithm": "ES384", "config": {"keyFile": "f"}}"#, .key(.es384, .pem(keyFile: "f"))),
            (#"{"algorithm": "ES512", "config": {"keyFile": "f"}}"#, .key(.es512, .pem(keyFile: "f"))),
            (#"{"algorithm": "EdDSA", "config": {"keyFile": "f"}}"#, .key(.edDSA, .pem(keyFile: "f"))),
            (
                #"{"algorithm": "RS256", "config": {"keyStore": {"path": "p", "password": "w"}}}"#,
                .key(.rs256, .pkcs12("p", password: "w"))
            ),
            (
                #"""
                {"algorithm": "RS256",
                 "config": {"keyStore": {"path": "p", "password": "w"}, "keyAlias": "a", "keyPassword": "w"}}
                """#, .key(.rs256, .pkcs12("p", alias: "a", password: "w"))
            ),
        ])
    func signatures(_ json: String, _ expected: JWTSignatureConfig) throws {
        #expect(try read(#"{"signatureConfig": \#(json)}"#) == JWTIssuer(signatureConfig: expected))
    }

    @Test("may have one audience, or null for what is not there")
    func audience() throws {
        #expect(try read(#"{"audience": "a", "signatureConfig": {"algorithm": "NONE"}}"#).audience == ["a"])
        let nothing = """
            {"issuer": null, "username": null, "audience": null, "jwtId": null, "keyId": null,
             "signatureConfig": {"algorithm": "NONE"}}
            """
        #expect(try read(nothing) == JWTIssuer(signatureConfig: .none))
    }

    @Test(
        "that are mistaken in JSON are named, without their values",
        arguments: [
            ("[]", "auth: expected an object"), ("{}", "auth: expected an object with signatureConfig"),
            (#"{"isuer": "s3cret"}"#, "auth.isuer: there is no such field"),
            (#"{"issuer": ["s3cret"]}"#, "auth.issuer: expected a string"),
            (#"{"audience": 1}"#, "auth.audience: expected a string, or an array of strings"),
            (#"{"audience": ["a", 1]}"#, "auth.audience[1]: expected a string"),
            (#"{"customClaims": "s3cret"}"#, "auth.customClaims: expected an object"),
            (#"{"expTime": "1"}"#, "auth.expTime: expected a number of seconds"),
            (#"{"expTime": -1}"#, "auth.expTime: expected a number of seconds"),
            (#"{"signatureConfig": "s3cret"}"#, "auth.signatureConfig: expected an object"),
            (#"{"signatureConfig": {}}"#, "auth.signatureConfig: expected an object with algorithm"),
            (#"{"signatureConfig": {"key": "s3cret"}}"#, "auth.signatureConfig.key: there is no such field"),
            (
                #"{"signatureConfig": {"algorithm": "PS256", "config": "s3cret"}}"#,
                "auth.signatureConfig.algorithm: expected RS256, RS384, RS512, ES256, ES384, ES512, EdDSA, HS256, HS384, "
                    + "HS512 or NONE"
            ),
            (#"{"signatureConfig": {"algorithm": 256}}"#, "auth.signatureConfig.algorithm: expected a string"),
            (#"{"signatureConfig": {"algorithm": "NONE", "config": "s3cret"}}"#, "auth.signatureConfig.config: "),
            (#"{"signatureConfig": {"algorithm": "HS256"}}"#, "auth.signatureConfig: expected an object with config"),
            (#"{"signatureConfig": {"algorithm": "RS256"}}"#, "auth.signatureConfig: expected an object with config"),
            (
                #"{"signatureConfig": {"algorithm": "HS256", "config": {"keyFile": "f"}}}"#,
                "auth.signatureConfig.config: expected a string"
            ),
            (
                #"{"signatureConfig": {"algorithm": "RS256", "config": "s3cret"}}"#,
                "auth.signatureConfig.config: expected an object"
            ),
            (
                #"{"signatureConfig": {"algorithm": "RS256", "config": {"keyFiles": "s3cret"}}}"#,
                "auth.signatureConfig.config.keyFiles: there is no such field"
            ),
            (
                #"{"signatureConfig": {"algorithm": "RS256", "config": {"keyPassword": "s3cret"}}}"#,
                "auth.signatureConfig.config: expected an object with keyFile"
            ),
            (
                #"{"signatureConfig": {"algorithm": "RS256", "config": {"keyFile": "f", "keyAlias": "a"}}}"#,
                "auth.signatureConfig.config: expected an object with keyFile"
            ),
            (
                #"{"signatureConfig": {"algorithm": "RS256", "config": {"keyStore": {"path": "p"}}}}"#,
                "auth.signatureConfig.config.keyStore: expected an object with path and password"
            ),
            (
                #"""
                {"signatureConfig": {"algorithm": "RS256",
                 "config": {"keyStore": {"path": "p", "password": "s3cret"}, "keyPassword": "s3cret2"}}}
                """#, "auth.signatureConfig.config.keyPassword: expected the password of the keyStore"
            ),
        ])
    func jsonMistakes(_ json: String, _ words: String) {
        let error = failure { try read(json) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "none")")
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test("show no secret in what describes them")
    func secrets() {
        let secret = "s3cr3t-pa55word"
        let bytes = FileSource.bytes(Array(secret.utf8))
        let configs: [JWTSignatureConfig] = [
            .hmac(.hs256, secret: secret), .hmac(.hs256, secret: Array(secret.utf8)),
            .key(.rs256, .pem(keyFile: bytes, keyPassword: secret)),
            .key(.rs256, .pkcs12(bytes, alias: "a", password: secret)),
        ]
        var values: [Any] = configs
        values += [JWTSigningKey.pem(keyFile: "f", keyPassword: secret), JWTSigningKey.pkcs12("p", password: secret)]
        for config in configs {
            var issuer = JWTIssuer(signatureConfig: config)
            issuer.customClaims = ["token": .string(secret)]
            var configuration = ClientConfiguration()
            configuration.auth = .jwt(issuer)
            values += [issuer, ClientAuthentication.jwt(issuer), configuration] as [Any]
        }
        let numbers = secret.utf8.map { String($0) }.joined(separator: ", ")
        for value in values {
            var dumped = ""
            dump(value, to: &dumped)
            let texts = [
                "\(value)", String(reflecting: value), dumped, "\([value])", "\(Optional(value) as Any)",
                "\(Mirror(reflecting: value).children.map { "\($0)" })",
            ]
            for text in texts {
                #expect(!text.contains(secret) && !text.contains(numbers) && !text.contains("- 115\n"), "\(text)")
            }
        }
        #expect("\(JWTIssuer(signatureConfig: configs[2]))" == "JWT (RS256)")
        #expect("\(JWTSigningKey.pem(keyFile: "client.key", keyPassword: secret))" == "client.key")
    }
}
