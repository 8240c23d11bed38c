"""Looks at a WebSocket server over TLS, with Python's own TLS and as little WebSocket as that takes.

    tls_probe.py PORT PATH --trust FILE [--name NAME] [--certificate FILE --key FILE] [--protocols LIST]
                           [--version TLSv1.2|TLSv1.3] [--send TEXT] [--twice]

Connects to 127.0.0.1, verifies the server's certificate for NAME, upgrades, sends TEXT where there is one, and prints
"text: " with each text message of the server. Ends after the first where nothing is to be sent; else when the server
ends, and prints "end: " and how. With --twice all is done again, with the first connection's session.
"""

import argparse
import socket
import ssl

from tls_buffers import BufferedTLS


def probe(options, context, session):
    with socket.create_connection(("127.0.0.1", options.port), timeout=60) as transport:
        connection = BufferedTLS(transport, context, server_hostname=options.name, session=session)
        connection.handshake()
        request = (
            f"GET {options.path} HTTP/1.1\r\nHost: {options.name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        connection.write(request.encode())
        print("status:", connection.read_head().split(b" ")[1].decode(), flush=True)
        if options.send is not None:
            payload = options.send.encode()
            connection.write(bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        while True:
            _, length = connection.read(2)
            length = int.from_bytes(connection.read(2), "big") if length == 126 else length
            print("text:", connection.read(length).decode(), flush=True)
            if options.send is None:
                return connection.tls.session


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--trust", required=True)
    parser.add_argument("--name", default="localhost")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--protocols", default="")
    parser.add_argument("--version")
    parser.add_argument("--send")
    parser.add_argument("--twice", action="store_true")
    options = parser.parse_args()
    context = ssl.create_default_context(cafile=options.trust)
    if options.certificate:
        context.load_cert_chain(options.certificate, options.key)
    if options.protocols:
        context.set_alpn_protocols(options.protocols.split(","))
    if options.version:
        version = ssl.TLSVersion[options.version.replace(".", "_")]
        context.minimum_version = context.maximum_version = version
    try:
        session = probe(options, context, None)
        if options.twice:
            probe(options, context, session)
    except (OSError, EOFError) as error:
        print("end:", str(error) or type(error).__name__, flush=True)


if __name__ == "__main__":
    main()
