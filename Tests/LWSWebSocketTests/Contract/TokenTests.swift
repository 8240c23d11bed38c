// Tokens that the client makes, as another implementation sees them.

import Foundation
import HTTPTypes
import LWSServiceLoop
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A token of the client's own")
struct TokenTests {
    /// Keys are made once for all tests of the suite; its folder is removed when the process ends.
    private static let sharedKeys: Result<TokenKeys, any Error> = Result {
        let keys = try TokenKeys()
        atexit { try? TokenTests.sharedKeys.get().folder.remove() }
        return keys
    }

    private static let secret = "a secret that is longer than any of the hashes, which have up to 64 bytes: öäü"

    enum Algorithm: String, CaseIterable, Sendable {
        case none, hs256, hs384, hs512, rs256, rs384, rs512, es256, es384, es512, ed25519, ed448

        /// With the name in the header, and the key that verifies.
        func config(_ keys: TokenKeys) throws -> (JWTSignatureConfig, name: String, key: String) {
            let secret = TokenTests.secret
            let base64 = Data(secret.utf8).base64EncodedString()
            func signed(
                _ algorithm: JWTSignatureConfig.KeyAlgorithm, _ name: String, _ kind: TokenKeys.Kind
            ) throws -> (JWTSignatureConfig, name: String, key: String) {
                let key = JWTSigningKey.pem(keyFile: .file(try keys.file(kind)))
                return (.key(algorithm, key), name, try keys.publicKey(kind))
            }
            return switch self {
            case .none: (.none, "none", "")
            case .hs256: (.hmac(.hs256, secret: secret), "HS256", base64)
            case .hs384: (.hmac(.hs384, secret: secret), "HS384", base64)
            case .hs512: (.hmac(.hs512, secret: Array(secret.utf8)), "HS512", base64)
            case .rs256: try signed(.rs256, "RS256", .rsa)
            case .rs384: try signed(.rs384, "RS384", .rsa)
            case .rs512: try signed(.rs512, "RS512", .rsa)
            case .es256: try signed(.es256, "ES256", .p256)
            case .es384: try signed(.es384, "ES384", .p384)
            case .es512: try signed(.es512, "ES512", .p521)
            case .ed25519: try signed(.edDSA, "EdDSA", .ed25519)
            case .ed448: try signed(.edDSA, "EdDSA", .ed448)
            }
        }
    }

    @Test("is good for PyJWT, and has these claims and no other", arguments: Algorithm.allCases)
    func everyAlgorithm(_ algorithm: Algorithm) throws {
        let (config, name, key) = try algorithm.config(try Self.sharedKeys.get())
        var issuer = JWTIssuer(signatureConfig: config)
        (issuer.issuer, issuer.username, issuer.audience) = ("feed", "alice", ["https://example.com"])
        (issuer.jwtId, issuer.keyId, issuer.customClaims) = ("id-1", "key-1", ["scope": "read"])
        let token = try TokenCheck.verify(
            token: try TokenFixture.token(issuer), key: key, algorithm: name, audience: "https://example.com",
            checksTimes: false)
        #expect(try TokenFixture.json(token.header) == ["alg": .string(name), "typ": "JWT", "kid": "key-1"])
        let expected: JSONValue = [
            "iss": "feed", "sub": "alice", "aud": "https://example.com", "jti": "id-1", "scope": "read",
            "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_000_300,
        ]
        #expect(try TokenFixture.json(token.claims) == expected)
    }

    @Test("is refused where the key is another", arguments: [Algorithm.hs256, .rs256, .es384, .ed25519])
    func otherKey(_ algorithm: Algorithm) throws {
        let keys = try Self.sharedKeys.get()
        let (config, name, _) = try algorithm.config(keys)
        let token = try TokenFixture.token(JWTIssuer(signatureConfig: config))
        let key =
            switch algorithm {
            case .hs256: Data("another".utf8).base64EncodedString()
            case .rs256: try keys.publicKey(.rsa, 2)
            case .es384: try keys.publicKey(.p384, 2)
            default: try keys.publicKey(.ed25519, 2)
            }
        #expect(throws: PeerError.self) {
            try TokenCheck.verify(token: token, key: key, algorithm: name, checksTimes: false)
        }
    }

    @Test("has only its times where nothing is set, and is valid now")
    func defaults() throws {
        let before = Int128(Date().timeIntervalSince1970)
        let token = try JWTAuthenticator(JWTIssuer(signatureConfig: .hmac(.hs256, secret: Self.secret))).token()
        let key = Data(Self.secret.utf8).base64EncodedString()
        let seen = try TokenCheck.verify(token: token, key: key, algorithm: "HS256")
        #expect(try TokenFixture.json(seen.header) == ["alg": "HS256", "typ": "JWT"])
        let claims = try TokenFixture.json(seen.claims)
        let made = try #require(claims["iat"]?.integer(as: Int128.self))
        #expect((before...before + 60).contains(made))
        #expect(claims == ["iat": .integer(made), "nbf": .integer(made), "exp": .integer(made + 300)])
    }

    @Test("is over when its time is, in whole seconds")
    func times() throws {
        var issuer = JWTIssuer(signatureConfig: .hmac(.hs256, secret: Self.secret))
        issuer.expTime = .milliseconds(1999)
        #expect(try TokenFixture.unverified(try TokenFixture.token(issuer)).claims["exp"] == 1_700_000_001)
        let key = Data(Self.secret.utf8).base64EncodedString()
        #expect(throws: PeerError.self) {
            try TokenCheck.verify(token: try TokenFixture.token(issuer), key: key, algorithm: "HS256")
        }
    }

    @Test("names several audiences in an array")
    func audiences() throws {
        var issuer = JWTIssuer(signatureConfig: .none)
        issuer.audience = ["a", "b"]
        let token = try TokenFixture.token(issuer)
        #expect(try TokenFixture.unverified(token).claims["aud"] == ["a", "b"])
        for audience in issuer.audience {
            _ = try TokenCheck.verify(
                token: token, key: "", algorithm: "none", audience: audience, checksTimes: false)
        }
        #expect(throws: PeerError.self) {
            try TokenCheck.verify(token: token, key: "", algorithm: "none", audience: "c", checksTimes: false)
        }
    }

    @Test("has custom claims of every kind that JSON has")
    func customClaims() throws {
        var issuer = JWTIssuer(signatureConfig: .hmac(.hs512, secret: Self.secret))
        issuer.customClaims = [
            "null": nil, "yes": true, "no": false, "whole": -3, "large": 9_007_199_254_740_993, "half": 2.5,
            "text": "ö\u{0}\n\"/\\😀", "empty": "", "array": [1, "2", [nil], [:]], "object": ["a": ["b": [false]]],
            "https://example.com/is_root": true, "": "nameless",
        ]
        let seen = try TokenCheck.verify(
            token: try TokenFixture.token(issuer), key: Data(Self.secret.utf8).base64EncodedString(),
            algorithm: "HS512", checksTimes: false)
        var expected = JSONValue.object(issuer.customClaims)
        (expected["iat"], expected["nbf"], expected["exp"]) = (1_700_000_000, 1_700_000_000, 1_700_000_300)
        #expect(try TokenFixture.json(seen.claims) == expected)
    }

    @Test("is another for each handshake")
    func fresh() throws {
        let keys = try Self.sharedKeys.get()
        let clock = Clock()
        let config = try Algorithm.es256.config(keys).0
        let authenticator = JWTAuthenticator(JWTIssuer(signatureConfig: config), now: { clock.next() })
        let tokens = try (0..<3).map { _ in
            let value = try authenticator.headerFields(for: TokenFixture.request)[.authorization]
            let token = try #require(value?.hasPrefix("Bearer ") == true ? value?.dropFirst(7) : nil)
            return String(token)
        }
        let times = try tokens.map { try TokenFixture.unverified($0).claims["iat"] }
        #expect(times == [1_700_000_000, 1_700_000_010, 1_700_000_020])
        #expect(Set(tokens.map { $0.split(separator: ".").last }).count == 3)
        let refusal = AuthenticationRefusal(HTTPResponse(status: .unauthorized), sent: [:])
        #expect(!authenticator.wasRefused(refusal))
    }

    @Test("is made on many threads at once, by one authenticator")
    func threads() throws {
        let keys = try Self.sharedKeys.get()
        for algorithm in [Algorithm.rs256, .es256, .hs256, .ed25519] {
            let authenticator = JWTAuthenticator(
                JWTIssuer(signatureConfig: try algorithm.config(keys).0),
                now: { Date(timeIntervalSince1970: 1_700_000_000) })
            let tokens = try (0..<4).map { _ in
                try Background { try (0..<25).map { _ in try authenticator.token() } }
            }
            let all = Set(try tokens.flatMap { try $0.value() })
            // ECDSA alone has another signature each time.
            #expect(all.count == (algorithm == .es256 ? 100 : 1))
        }
    }
}

/// A clock that goes on ten seconds whenever somebody looks at it.
private final class Clock: Sendable {
    private let seconds = Locked(1_699_999_990.5)

    func next() -> Date {
        seconds.withLock { seconds in
            seconds += 10
            return Date(timeIntervalSince1970: seconds)
        }
    }
}
