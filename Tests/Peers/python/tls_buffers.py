"""TLS over buffers, so that the bytes underneath can be had and spoiled, and the system's errors be told from TLS's."""

import ssl


class BufferedTLS:
    def __init__(self, transport, context, **options):
        self.transport = transport
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **options)

    def flush(self):
        # Sending nothing on a connection that is gone would be an error that hides the first one.
        if self.outgoing.pending:
            self.transport.sendall(self.outgoing.read())

    def run(self, call, *arguments):
        """Carries bytes to and fro until the call is done."""
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self.flush()
                received = self.transport.recv(65536)
                if received:
                    self.incoming.write(received)
                else:
                    self.incoming.write_eof()
            finally:
                self.flush()

    def handshake(self):
        self.run(self.tls.do_handshake)

    def read(self, count):
        """Exactly so many bytes; EOFError where the peer sends close_notify before."""
        received = b""
        while len(received) < count:
            try:
                part = self.run(self.tls.read, count - len(received))
            except ssl.SSLZeroReturnError:
                part = b""
            if not part:
                raise EOFError("close_notify")
            received += part
        return received

    def read_head(self):
        """Of an HTTP request or response, to the empty line."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        return head

    def write(self, data):
        self.run(self.tls.write, data)
