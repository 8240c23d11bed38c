"""The tests' client for what TLS agrees to, on Python's `ssl`.

    tls_client.py PORT --ca CERT [--version 1.1|1.2|1.3] [--ciphers LIST] [--cert CERT --key KEY]
                  [--connections N] [--refused]

Connects to 127.0.0.1, N times one after the other, each time with the session of the connection before, upgrades to
/echo, and prints "VERSION CIPHER new" or "VERSION CIPHER resumed". With --refused it sends nothing after the handshake,
because a server that has refused the client answers that with a reset, and prints "refused" and OpenSSL's reason. Ends
with a traceback where something else happens.
"""

import argparse
import socket
import ssl

VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def context(options):
    context = ssl.create_default_context(cafile=options.ca)
    if options.ciphers:
        context.set_ciphers(options.ciphers)
    if options.version:
        context.minimum_version = context.maximum_version = VERSIONS[options.version]
    if options.cert:
        context.load_cert_chain(options.cert, options.key)
    return context


def connect(context, port, session=None):
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    return context.wrap_socket(plain, server_hostname="localhost", session=session)


def upgrade(connection):
    connection.sendall(UPGRADE)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = connection.recv(4096)
        assert part, answer
        answer += part
    assert answer.startswith(b"HTTP/1.1 101 "), answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--version")
    parser.add_argument("--ciphers")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--refused", action="store_true")
    options = parser.parse_args()
    client = context(options)
    if options.refused:
        try:
            with connect(client, options.port) as connection:
                connection.recv(1)
        except ssl.SSLError as error:
            print("refused", error.reason)
            return
        raise AssertionError("not refused")
    session = None
    for _ in range(options.connections):
        with connect(client, options.port, session) as connection:
            upgrade(connection)
            kind = "resumed" if connection.session_reused else "new"
            print(connection.version(), connection.cipher()[0], kind)
            session = connection.session


main()
