"""The WebSocket endpoint that the tokens are for, on Python's `websockets`; PyJWT verifies them.

What a connection needs, and does, is chosen by the path (anything after a question mark is ignored):

/echo         a token of the authorization server, good and not revoked (RFC 6750); sends each message back
/claims       the same; sends the token's claims as JSON first
/drop         the same; drops TCP at once
/jwt          a token signed with the registered key, for the audience "lws-tests"; sends each message back
/jwt-claims   the same; sends the token's claims as JSON first
/basic        alice's name and password (RFC 7617); sends each message back

Whatever else comes in Authorization is refused with 401 and WWW-Authenticate, other paths with 404. Everywhere the
text "drop" drops TCP.
"""

import asyncio
import base64
import http
import json

import jwt
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from authorization_grants import AUDIENCE, ISSUER, USERS, same

PATHS = ["/echo", "/claims", "/drop", "/jwt", "/jwt-claims", "/basic"]
REALM = 'realm="lws-tests"'


class Refusal(Exception):
    def __init__(self, challenge):
        self.challenge = challenge


class ProtectedWebSockets:
    def __init__(self, state):
        self.state = state
        self.connections = set()

    async def listen(self, port, tls):
        loop = asyncio.get_running_loop()
        self.state.drop_connections = lambda: asyncio.run_coroutine_threadsafe(self.drop(), loop).result(10)
        return await serve(
            self.handle,
            "127.0.0.1",
            port,
            process_request=self.check,
            compression=None,
            max_size=None,
            # Tests measure who pings whom: the server sends no pings of its own.
            ping_interval=None,
            close_timeout=5,
            ssl=tls,
        )

    async def drop(self):
        connections = list(self.connections)
        for connection in connections:
            connection.transport.abort()
        return len(connections)

    def check(self, connection, request):
        path = request.path.partition("?")[0]
        values = request.headers.get_all("Authorization")
        response = None
        if path not in PATHS:
            response = connection.respond(http.HTTPStatus.NOT_FOUND, "no such path\n")
        else:
            try:
                connection.claims = self.verify(path, values)
            except Refusal as refusal:
                response = connection.respond(http.HTTPStatus.UNAUTHORIZED, "refused\n")
                response.headers["WWW-Authenticate"] = refusal.challenge
        status = response.status_code if response else 101
        with self.state.changed:
            self.state.handshakes.append({"path": request.path, "authorization": values, "status": status})
        return response

    def verify(self, path, values):
        """The claims; raises Refusal. A challenge has no error where the request says nothing (RFC 6750, 3.1)."""
        bare = f'Basic {REALM}, charset="UTF-8"' if path == "/basic" else f"Bearer {REALM}"
        if self.state.is_refusing():
            raise Refusal(bare if path == "/basic" else f'{bare}, error="invalid_token"')
        kind, _, credentials = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        if kind.lower() != bare.partition(" ")[0].lower():
            raise Refusal(bare)
        if path == "/basic":
            return self.verify_password(credentials, bare)
        try:
            return self.verify_registered(credentials) if path.startswith("/jwt") else self.verify_issued(credentials)
        except jwt.PyJWTError as error:
            words = str(error).replace('"', "'")
            raise Refusal(f'{bare}, error="invalid_token", error_description="{words}"') from error

    def verify_password(self, credentials, challenge):
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            raise Refusal(challenge) from None
        if name not in USERS or not same(USERS[name], password):
            raise Refusal(challenge)
        return {"sub": name}

    def verify_issued(self, token):
        options = {"require": ["iss", "aud", "sub", "client_id", "iat", "exp", "jti"]}
        key = self.state.verification_key
        claims = jwt.decode(token, key, ["RS256"], options, audience=AUDIENCE, issuer=ISSUER)
        if not self.state.is_good(claims["jti"]):
            raise jwt.InvalidTokenError("The token is expired or revoked")
        return claims

    def verify_registered(self, token):
        if not self.state.registered:
            raise jwt.InvalidKeyError("No key is registered")
        algorithm, key, _ = self.state.registered
        return jwt.decode(token, key, [algorithm], audience=AUDIENCE)

    async def handle(self, connection):
        self.connections.add(connection)
        try:
            path = connection.request.path.partition("?")[0]
            if path == "/drop":
                connection.transport.abort()
                return
            if path.endswith("claims"):
                await connection.send(json.dumps(connection.claims))
            async for message in connection:
                if message == "drop":
                    connection.transport.abort()
                else:
                    await connection.send(message)
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)
