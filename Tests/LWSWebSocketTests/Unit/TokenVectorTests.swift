// Tokens that the RFCs print.

import Foundation
import TestSupport
import Testing

@testable import LWSWebSocket

@Suite("A published token")
struct TokenVectorTests {
    private static let claims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
    private static let encodedClaims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    private func token(_ header: String, _ payload: String, _ config: JWTSignatureConfig) throws -> String {
        try JSONWebToken(header: Array(header.utf8), payload: Array(payload.utf8))
            .compact(signedBy: TokenFixture.signer(config))
    }

    private func key(_ pem: String) -> JWTSigningKey { .pem(keyFile: .bytes(Array(pem.utf8))) }

    @Test("of RFC 7515, A.1, is made with HS256")
    func hmac() throws {
        let secret = try #require(
            TokenFixture.data(
                "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
        let header = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"
        #expect(
            try token(header, Self.claims, .hmac(.hs256, secret: secret))
                == "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(Self.encodedClaims)."
                + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    }

    @Test("of RFC 7515, A.2, is made with RS256")
    func rsa() throws {
        let jwk = """
            {"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1\
            Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpa\
            SHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4\
            LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",\
            "d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwV\
            ol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\
            kn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaF\
            QT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"}
            """
        let signature = """
            cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O\
            8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN\
            PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ\
            1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
            """
        let pair = try TokenCheck.pem(jwk: jwk)
        #expect(
            try token(#"{"alg":"RS256"}"#, Self.claims, .key(.rs256, key(pair.private)))
                == "eyJhbGciOiJSUzI1NiJ9.\(Self.encodedClaims).\(signature)")
    }

    /// ECDSA has another signature each time, so both are verified.
    @Test("of RFC 7515, A.3, verifies with ES256, as does our own of its key")
    func ecdsa() throws {
        let pair = try TokenCheck.pem(
            jwk: """
                {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
                "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",\
                "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}
                """)
        let published =
            "eyJhbGciOiJFUzI1NiJ9.\(Self.encodedClaims)."
            + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let own = try token(#"{"alg":"ES256"}"#, Self.claims, .key(.es256, key(pair.private)))
        #expect(own != published)
        #expect(own.dropLast(86) == published.dropLast(86))
        for token in [published, own] {
            let seen = try TokenCheck.verify(token: token, key: pair.public, algorithm: "ES256", checksTimes: false)
            #expect(try TokenFixture.json(seen.claims)["iss"] == "joe")
            let damaged = token.dropLast(3) + (token.hasSuffix("AAA") ? "BBB" : "AAA")
            #expect(throws: PeerError.self) {
                try TokenCheck.verify(
                    token: String(damaged), key: pair.public, algorithm: "ES256", checksTimes: false)
            }
        }
    }

    @Test("of RFC 8037, A.4, is made with EdDSA")
    func edwards() throws {
        let pair = try TokenCheck.pem(
            jwk: """
                {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",\
                "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
                """)
        #expect(
            try token(#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing", .key(.edDSA, key(pair.private)))
                == "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
    }

    @Test("of RFC 7519, 6.1, has no signature")
    func unsigned() throws {
        #expect(
            try token(#"{"alg":"none"}"#, Self.claims, .none) == "eyJhbGciOiJub25lIn0.\(Self.encodedClaims).")
    }
}
