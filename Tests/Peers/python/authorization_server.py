"""The tests' authorization server, Authlib's, and a WebSocket endpoint that checks its tokens.

Listens on 127.0.0.1, on ports that the system chose or on those given, and prints
"ready TOKEN_PORT SOCKET_PORT CONTROL_PORT". All it does is said at the head of the modules that do it:

authorization_grants.py      /token and /token-rotating, clients, users and tokens
authorization_troubles.py    /trouble/...: token endpoints that go wrong
protected_websockets.py      what the WebSocket endpoint asks for, path by path
authorization_state.py       the commands of the third port: plain TCP, a line of JSON, the answer, and the end
"""

import argparse
import asyncio
import json
import os
import socketserver
import ssl
import threading

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from authorization_grants import make_application
from authorization_requests import Requests, Server
from authorization_state import State
from authorization_troubles import Troubles
from protected_websockets import ProtectedWebSockets


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--token-port", type=int, default=0, help="default: any")
    parser.add_argument("--socket-port", type=int, default=0, help="default: any")
    parser.add_argument("--tls-certificate", metavar="FILE", help="PEM: the certificate, then those above it")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--signing-key", metavar="FILE", help="PEM, an RSA key; made where it is missing")
    parser.add_argument("--state", metavar="FILE", help="keeps refresh tokens and revocations")
    parser.add_argument("--expires-in", type=int, default=3600, metavar="SECONDS", help="an access token's life")
    return parser.parse_args()


def signing_key(file):
    """In PEM: the private key and its public key."""
    if file and os.path.exists(file):
        with open(file, "rb") as kept:
            key = serialization.load_pem_private_key(kept.read(), None)
    else:
        key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    if file and not os.path.exists(file):
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(private)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def tls_context(options):
    if not options.tls_certificate:
        # Authlib refuses to work without TLS otherwise.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_certificate, options.tls_key)
    return context


def listen_for_commands(state):
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(json.dumps(state.run(self.rfile.readline())).encode() + b"\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


async def main(options):
    tls = tls_context(options)
    state = State(options.state, options.expires_in, *signing_key(options.signing_key))
    tokens = Server(options.token_port, Requests(Troubles(make_application(state)), state), tls)
    tokens.start()
    sockets = await ProtectedWebSockets(state).listen(options.socket_port, tls)
    socket_port = sockets.sockets[0].getsockname()[1]
    print("ready", tokens.port, socket_port, listen_for_commands(state), flush=True)
    await sockets.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
