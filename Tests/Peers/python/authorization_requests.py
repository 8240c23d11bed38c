"""The HTTP server around the authorization server: Werkzeug's, over TLS where asked for.

It keeps a record of every request but those that no TLS or HTTP came to: method, path, headerFields and form as lists
of [name, value] as they were sent, and the status answered (0 where none is yet, or never will be).
"""

import io
import ssl
import threading
import urllib.parse

import werkzeug.serving


class Handler(werkzeug.serving.WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # A body follows its head at once, and not when the client has acknowledged the head, which it puts off.
    disable_nagle_algorithm = True

    def make_environ(self):
        return super().make_environ() | {"tests.header_fields": [list(field) for field in self.headers.items()]}

    def connection_dropped(self, error, environ=None):
        """Or a trouble that answered by itself: no further request is waited for."""
        self.close_connection = True

    def log(self, *arguments):
        """Tests look at the record instead."""


class Server(werkzeug.serving.ThreadedWSGIServer):
    daemon_threads = True

    def __init__(self, port, application, tls):
        super().__init__("127.0.0.1", port, application, Handler, ssl_context=tls)
        if tls:
            # The handshake is the connection's thread's, which a client that falls silent does no harm to.
            self.socket.do_handshake_on_connect = False

    def shutdown_request(self, request):
        """Werkzeug ends TCP alone, which over TLS looks as if somebody had cut the answer off."""
        if isinstance(request, ssl.SSLSocket):
            try:
                request.settimeout(1)
                request.unwrap()
            except (OSError, ValueError):
                pass
        super().shutdown_request(request)

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Requests:
    """Records requests on their way to an application, and holds them while the tests want that."""

    def __init__(self, application, state):
        self.application, self.state = application, state

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        chunked = environ.get("wsgi.input_terminated")
        body = environ["wsgi.input"].read(*([] if chunked else [length]))
        environ["wsgi.input"] = io.BytesIO(body)
        request = environ["tests.request"] = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["REQUEST_URI"],
            "headerFields": environ["tests.header_fields"],
            "form": [list(pair) for pair in urllib.parse.parse_qsl(body.decode(errors="replace"), True)],
            "status": 0,
        }
        with self.state.changed:
            self.state.requests.append(request)
        self.state.hold_request()

        def start(status, fields, *rest):
            request["status"] = int(status.split(" ")[0])
            return start_response(status, fields, *rest)

        return self.application(environ, start)
