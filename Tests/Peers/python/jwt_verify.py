"""Verifies a JWT with PyJWT.

    jwt_verify.py '{"token": TOKEN, "key": KEY, "algorithm": NAME, "audience": TEXT or null}'

The key is a public key in PEM, or for HS256 and its like the secret in base64. With the algorithm "none" the header has
to say that too, and the signature has to be empty. Prints {"header": TEXT, "claims": TEXT}, each as it is in the token;
ends with PyJWT's error where the token is not good.
"""

import base64
import json
import sys

import jwt


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def main():
    request = json.loads(sys.argv[1])
    token, algorithm, audience = request["token"], request["algorithm"], request["audience"]
    header, claims, signature = token.split(".")
    options = {"verify_aud": audience is not None, "verify_exp": True, "verify_nbf": True, "verify_iat": True}
    if algorithm == "none":
        if jwt.get_unverified_header(token)["alg"] != "none" or signature:
            raise jwt.InvalidAlgorithmError("not an unsigned token")
        jwt.decode(token, audience=audience, options=options | {"verify_signature": False})
    else:
        key = base64.b64decode(request["key"]) if algorithm.startswith("HS") else request["key"]
        jwt.decode(token, key, [algorithm], options, audience=audience)
    print(json.dumps({"header": part(header), "claims": part(claims)}))


try:
    main()
except jwt.PyJWTError as error:
    sys.exit(f"{type(error).__name__}: {error}")
