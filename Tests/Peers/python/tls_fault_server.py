"""A WebSocket server over TLS that ends, or breaks, TLS in the midst of things.

Listens on 127.0.0.1, on a port that the system chose, and prints "ready PORT". With --handshake-alert CODE each
handshake ends with that fatal alert. Else it upgrades, and the path says what happens then:

/truncate           ends TCP without TLS's close_notify
/truncate-frame     the same after the first half of a text frame
/reset              resets TCP
/close-notify       ends TLS with close_notify, then TCP, without a WebSocket close frame
/garbage            sends bytes that are no TLS record, then waits for the client to end
/bad-record         sends a record of the right form that does not decrypt, then waits for the client to end
/alert              sends the fatal alert bad_record_mac (20), encrypted, then ends TCP
/alert-overflow     sends the fatal alert record_overflow (22), encrypted, then ends TCP
/bytewise           answers each frame with the text "bytewise", every byte in a record and a write of its own
anything else       answers each frame with the text "ok"

Each but the last two first sends the text "ready", and waits for a frame of the client before it goes on. When a
connection is over it prints "ended: " and how the client ended it: "handshake failed" with OpenSSL's words (an alert
of the client is among them), "close_notify", "alert" or "error" with OpenSSL's words, "end of TCP", or "reset".
"""

import argparse
import base64
import hashlib
import os
import re
import socket
import ssl
import struct
import threading

from tls_buffers import BufferedTLS

TEXT = 0x81


class Connection(BufferedTLS):
    def upgrade(self):
        head = self.read_head()
        path = head.split(b" ")[1].decode()
        key = re.search(rb"(?i)\r\nsec-websocket-key: *(\S+)", head).group(1)
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        return path

    def read_frame(self):
        _, length = self.read(2)
        length &= 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.read(8))
        self.read(4 + length)

    def provoke(self, record):
        """Lets OpenSSL receive this record, to which it answers with an alert."""
        self.incoming.write(record)
        try:
            self.tls.read(1)
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLWantReadError):
                raise
        self.flush()


def frame(text):
    return bytes([TEXT, len(text)]) + text.encode()


def echo_ok(connection):
    while True:
        connection.read_frame()
        connection.write(frame("ok"))


def bytewise(connection):
    while True:
        connection.read_frame()
        for byte in frame("bytewise"):
            connection.write(bytes([byte]))


def drop(connection):
    connection.transport.shutdown(socket.SHUT_RDWR)


def truncate_frame(connection):
    connection.write(frame("half of this")[:8])
    drop(connection)


def reset(connection):
    connection.transport.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.close()


def close_notify(connection):
    try:
        connection.tls.unwrap()
    except ssl.SSLWantReadError:
        pass
    connection.flush()
    drop(connection)


def garbage(connection):
    connection.transport.sendall(b"this is no TLS record at all" * 4)
    connection.read(1)


def bad_record(connection):
    connection.transport.sendall(bytes([23, 3, 3, 0, 64]) + os.urandom(64))
    connection.read(1)


def alert(connection):
    connection.provoke(bytes([23, 3, 3, 0, 64]) + os.urandom(64))
    drop(connection)


def alert_overflow(connection):
    connection.provoke(bytes([23, 3, 3, 0xFF, 0xFF]))
    drop(connection)


FAULTS = {
    "/truncate": drop,
    "/truncate-frame": truncate_frame,
    "/reset": reset,
    "/close-notify": close_notify,
    "/garbage": garbage,
    "/bad-record": bad_record,
    "/alert": alert,
    "/alert-overflow": alert_overflow,
}


def serve(connection):
    try:
        connection.handshake()
    except (ssl.SSLError, OSError) as error:
        return f"handshake failed: {error}"
    try:
        path = connection.upgrade()
        if path not in FAULTS:
            (bytewise if path == "/bytewise" else echo_ok)(connection)
        connection.write(frame("ready"))
        connection.read_frame()
        FAULTS[path](connection)
        return "as asked for"
    except EOFError as error:
        return str(error)
    except ssl.SSLEOFError:
        return "end of TCP"
    except ssl.SSLError as error:
        return f"{'alert' if 'ALERT' in str(error) else 'error'}: {error}"
    except OSError:
        return "reset"


def handle(transport, context):
    ending = serve(Connection(transport, context, server_side=True))
    transport.close()
    print("ended:", ending, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True, metavar="FILE")
    parser.add_argument("--key", required=True, metavar="FILE")
    parser.add_argument("--version", choices=["TLSv1.2", "TLSv1.3"], default="TLSv1.3")
    parser.add_argument("--handshake-alert", type=int, metavar="CODE")
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[options.version.replace(".", "_")]
    context.load_cert_chain(options.certificate, options.key)
    if options.handshake_alert is not None:
        context.sni_callback = lambda tls, name, context: options.handshake_alert
    listener = socket.create_server(("127.0.0.1", 0))
    # Its connections inherit it. Else what follows the upgrade waits for the client's acknowledgement of it, which is late.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print("ready", listener.getsockname()[1], flush=True)
    while True:
        transport, _ = listener.accept()
        threading.Thread(target=handle, args=(transport, context), daemon=True).start()


if __name__ == "__main__":
    main()
