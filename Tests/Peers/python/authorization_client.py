"""Looks at the authorization server and its WebSocket endpoint, with Python's own HTTP and `websockets`.

    authorization_client.py TOKEN_URL SOCKET_URL CONTROL_PORT [--trust FILE] [--token]

Does what the heads of the server's modules speak of and checks what comes of it, then prints "ok"; ends with a
traceback where something is wrong. With --token it asks for a token as the client "service", and prints it.
"""

import argparse
import asyncio
import base64
import http.client
import json
import socket
import ssl
import time
import urllib.parse

import jwt
from authlib.oauth2.rfc7523 import JWTBearerGrant
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

SERVICE = ("service", "s3cr3t-of-service")
ODD = ("odd:client", "p@ss %w+rd&ü=:/")
ALICE = {"grant_type": "password", "username": "alice", "password": "correct horse & battery"}
GRANT = {"grant_type": "client_credentials"}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def encoded(pair):
    return basic(*(urllib.parse.quote_plus(part) for part in pair))


class Peer:
    def __init__(self, options):
        self.options = options
        self.tls = ssl.create_default_context(cafile=options.trust) if options.trust else None

    def post(self, form, authorization=None, path="/token"):
        """The status, the header fields, and the body; None for that where it ends too early."""
        address = urllib.parse.urlsplit(self.options.tokens)
        if self.tls:
            connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=60, context=self.tls)
        else:
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization:
            fields["Authorization"] = authorization
        connection.request("POST", path, urllib.parse.urlencode(form), fields)
        response = connection.getresponse()
        try:
            body = response.read()
        except http.client.IncompleteRead:
            body = None
        connection.close()
        return response.status, response.headers, body

    def token(self, form=GRANT, authorization=encoded(SERVICE), path="/token"):
        status, fields, body = self.post(form, authorization, path)
        assert status == 200 and fields["Cache-Control"] == "no-store", (status, body)
        values = json.loads(body)
        assert values["token_type"] == "Bearer" and values["scope"], values
        return values

    def refused(self, status, error, form, authorization=None, path="/token"):
        answered, _, body = self.post(form, authorization, path)
        assert (answered, json.loads(body)["error"]) == (status, error), (answered, body)

    def talk(self, path, authorization, *messages):
        """Sends the messages, and returns as many of the server's; None for those that TCP's end came before.

        Not with the blocking client of `websockets`: over TLS, on Python 3.11, its handshake gets no answer or its end
        is an internal error, once in some hundred connections.
        """

        async def receive(connection, message):
            try:
                if message:
                    await connection.send(message)
                return await asyncio.wait_for(connection.recv(), 10)
            except ConnectionClosedError as error:
                assert error.rcvd is None
                return None

        async def run():
            fields = {"Authorization": authorization} if authorization else None
            address = self.options.sockets + path
            async with connect(address, ssl=self.tls, additional_headers=fields, proxy=None) as connection:
                return [await receive(connection, message) for message in messages]

        return asyncio.run(run())

    def claims(self, token, path="/claims"):
        claims, echo = self.talk(path, f"Bearer {token}", None, "hello")
        assert echo == "hello"
        return json.loads(claims)

    def challenge(self, path, authorization=None):
        try:
            self.talk(path, authorization)
        except InvalidStatus as refusal:
            assert refusal.response.status_code == 401
            return refusal.response.headers["WWW-Authenticate"]
        raise AssertionError("not refused")

    def command(self, command, **fields):
        with socket.create_connection(("127.0.0.1", self.options.control), timeout=60) as connection:
            connection.sendall(json.dumps({"command": command} | fields).encode() + b"\n")
            values = json.loads(connection.makefile().readline())
        assert "error" not in values, values
        return values


def check_client_credentials(peer):
    values = peer.token(GRANT | {"scope": "read write"})
    assert values["expires_in"] == 3600 and "refresh_token" not in values
    claims = peer.claims(values["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("service", "service", "read write")
    assert claims["jti"] != peer.claims(peer.token()["access_token"])["jti"]
    peer.refused(400, "invalid_scope", GRANT | {"scope": "everything"}, encoded(SERVICE))
    peer.refused(400, "unauthorized_client", GRANT | {"client_id": "app"})


def check_client_authentication(peer):
    peer.token(GRANT, encoded(ODD))
    peer.refused(401, "invalid_client", GRANT, basic(*ODD))  # not form-urlencoded
    peer.refused(401, "invalid_client", GRANT, basic(*map(urllib.parse.quote, (ODD[0], ODD[1] + "x"))))
    peer.token(GRANT | dict(zip(("client_id", "client_secret"), ODD)), None)
    peer.refused(401, "invalid_client", GRANT | {"client_id": "service", "client_secret": "wrong"})
    peer.refused(401, "invalid_client", GRANT | {"client_id": "service"})
    record = peer.command("requests")["requests"][-1]
    assert record["form"] == [["grant_type", "client_credentials"], ["client_id", "service"]]
    assert (record["method"], record["path"], record["status"]) == ("POST", "/token", 401)
    assert ["Content-Type", "application/x-www-form-urlencoded"] in record["headerFields"]


def check_password_and_refresh(peer):
    app = {"client_id": "app"}
    values = peer.token(ALICE | app, None)
    assert peer.claims(values["access_token"])["sub"] == "alice"
    peer.refused(400, "invalid_grant", ALICE | app | {"password": "wrong"})
    refresh = {"grant_type": "refresh_token", "refresh_token": values["refresh_token"]}
    for _ in range(2):
        assert "refresh_token" not in peer.token(refresh | app, None)
    peer.refused(400, "invalid_grant", refresh, encoded(SERVICE))
    new = peer.token(refresh | app, None, "/token-rotating")["refresh_token"]
    peer.refused(400, "invalid_grant", refresh | app)
    peer.token(refresh | app | {"refresh_token": new}, None)
    peer.command("revokeRefreshTokens")
    peer.refused(400, "invalid_grant", refresh | app | {"refresh_token": new})


def check_assertions(peer):
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = jwk.ECKey.import_key(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    peer.command("registerKey", algorithm="ES384", pem=pem.decode())

    def form(audience=peer.options.tokens + "/token", issuer="service", **options):
        assertion = JWTBearerGrant.sign(private, issuer, audience, "alice", alg="ES384", **options)
        return {"grant_type": JWT_BEARER, "assertion": assertion}

    once = form()
    assert peer.claims(peer.token(once, None)["access_token"])["sub"] == "alice"
    peer.refused(400, "invalid_grant", once)
    peer.refused(400, "invalid_grant", form(audience="https://other.test"))
    peer.refused(400, "invalid_grant", form(issuer="nobody"))
    peer.refused(400, "invalid_grant", form(issued_at=time.time() - 10, expires_in=5))
    token = jwt.encode({"sub": "x", "aud": "lws-tests"}, key, "ES384")
    assert peer.claims(token, "/jwt-claims")["sub"] == "x"
    assert "invalid_token" in peer.challenge("/jwt", f"Bearer {jwt.encode({'sub': 'x'}, key, 'ES384')}")
    peer.command("registerKey", algorithm="HS256", secret=base64.b64encode(b"k" * 32).decode())
    assert "invalid_token" in peer.challenge("/jwt", f"Bearer {token}")
    peer.claims(jwt.encode({"aud": "lws-tests"}, b"k" * 32, "HS256"), "/jwt-claims")


def check_upgrades(peer):
    peer.command("clear")
    assert peer.challenge("/echo") == 'Bearer realm="lws-tests"'
    assert 'error="invalid_token"' in peer.challenge("/echo", "Bearer nonsense")
    token = peer.token()["access_token"]
    peer.command("refuseUpgrades", count=1)
    peer.challenge("/echo", f"Bearer {token}")
    peer.claims(token)
    peer.command("revokeAccessTokens")
    assert "revoked" in peer.challenge("/echo", f"Bearer {token}")
    seen = [(entry["authorization"], entry["status"]) for entry in peer.command("handshakes")["handshakes"]]
    bearer = [f"Bearer {token}"]
    assert seen == [([], 401), (["Bearer nonsense"], 401), (bearer, 401), (bearer, 101), (bearer, 401)], seen
    assert peer.challenge("/basic", basic("alice", "wrong")).startswith("Basic realm=")
    assert peer.talk("/basic", basic("alice", ALICE["password"]), "hello", "drop") == ["hello", None]
    assert peer.talk("/drop", f"Bearer {peer.token()['access_token']}", None) == [None]


def check_expiry(peer):
    peer.command("expiresIn", seconds=1)
    values = peer.token()
    assert values["expires_in"] == 1
    peer.claims(values["access_token"])
    peer.command("expiresIn", seconds=3600)
    # Nothing announces that a token expires.
    time.sleep(1.05)
    assert "expired" in peer.challenge("/echo", f"Bearer {values['access_token']}")


def check_troubles(peer):
    def trouble(name, **form):
        return peer.post(GRANT | form, encoded(SERVICE), "/trouble/" + name)

    good = {name: json.loads(trouble(name)[2]) for name in ("chunked", "close-delimited", "string-expiry", "no-expiry")}
    for values in good.values():
        peer.claims(values["access_token"])
    assert good["string-expiry"]["expires_in"] == "3600" and "expires_in" not in good["no-expiry"]
    assert trouble("chunked")[1]["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in trouble("close-delimited")[1]
    assert json.loads(trouble("not-bearer")[2])["token_type"] == "mac"
    assert "\r\n" in json.loads(trouble("bad-token")[2])["access_token"]
    for name in ("huge", "huge-chunked"):
        assert len(trouble(name)[2]) > 10_000_000
    assert trouble("html")[1]["Content-Type"].startswith("text/html") and trouble("no-token")[2] == b"{}"
    assert (trouble("redirect")[0], trouble("redirect-post")[0]) == (302, 307)
    assert trouble("redirect")[1]["Location"] == "/token"
    assert trouble("unavailable")[0] == 503 and trouble("unavailable")[1]["Retry-After"] == "120"
    assert trouble("truncated")[2] is None
    status, _, body = trouble("echo-secret", password="pass word")
    words = json.loads(body)["error_description"]
    assert status == 400 and SERVICE[1] in words and "pass word" in words and encoded(SERVICE) in words


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tokens")
    parser.add_argument("sockets")
    parser.add_argument("control", type=int)
    parser.add_argument("--trust")
    parser.add_argument("--token", action="store_true")
    options = parser.parse_args()
    peer = Peer(options)
    if options.token:
        print(peer.token()["access_token"])
        return
    for check in [value for name, value in globals().items() if name.startswith("check_")]:
        check(peer)
    print("ok")


if __name__ == "__main__":
    main()
