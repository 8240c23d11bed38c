"""Verifies tokens with PyJWT, and makes keys in PEM of those in JSON.

    jwt_check.py verify '{"token", "key", "algorithm", "audience", "checksTimes"}'
    jwt_check.py pem JWK

To verify, the key is a public one in PEM, or for HS256 and its like the secret in base64; "audience" is null where
none is asked for. Prints {"header": JSON, "claims": JSON}; ends with PyJWT's error where the token is not good. A
key in JSON becomes {"private": PEM, "public": PEM}.
"""

import base64
import json
import sys

import jwt
from cryptography.hazmat.primitives import serialization


def verify(request):
    token, algorithm, audience = request["token"], request["algorithm"], request["audience"]
    checks = request["checksTimes"]
    options = {"verify_aud": audience is not None, "verify_exp": checks, "verify_nbf": checks, "verify_iat": checks}
    header, key = jwt.get_unverified_header(token), request["key"]
    if algorithm == "none":
        # PyJWT takes none for verified.
        if header["alg"] != "none" or not token.endswith("."):
            raise jwt.InvalidAlgorithmError("not an unsigned token")
        options["verify_signature"] = False
    elif algorithm.startswith("HS"):
        key = base64.b64decode(key)
    claims = jwt.decode(token, key, [algorithm], options, audience=audience)
    return {"header": json.dumps(header), "claims": json.dumps(claims)}


def pem(jwk):
    key = jwt.PyJWK(jwk, {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[jwk["kty"]]).key
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {"private": private.decode(), "public": public.decode()}


try:
    print(json.dumps({"verify": verify, "pem": pem}[sys.argv[1]](json.loads(sys.argv[2]))))
except jwt.PyJWTError as error:
    sys.exit(f"{type(error).__name__}: {error}")
