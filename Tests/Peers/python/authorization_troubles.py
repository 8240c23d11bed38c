"""Token endpoints that go wrong, as real ones and the proxies before them do.

/trouble/html             200 with a page in HTML
/trouble/no-token         200 with {}
/trouble/huge             a token of 10 MB, with Content-Length
/trouble/huge-chunked     the same, chunked
/trouble/redirect         302 to /token
/trouble/redirect-post    307 to /token: the client is to send the same body there
/trouble/unavailable      503 with Retry-After: 120, and a page in HTML
/trouble/slow             never answers; ends when the client ends the connection
/trouble/truncated        /token's answer, of which the second half is missing
/trouble/echo-secret      400 with an error_description that repeats every secret of the request

These answer as /token does, where that is a good answer with one thing changed:

/trouble/chunked          in chunks of 7 bytes
/trouble/close-delimited  without Content-Length; ends with the connection
/trouble/trickle          one byte every ms, the status line included
/trouble/not-bearer       the token_type is "mac"
/trouble/bad-token        there is a line break in the token, and a header field after it
/trouble/string-expiry    expires_in is a string
/trouble/no-expiry        expires_in is missing
"""

import base64
import json
import socket
import time
import urllib.parse

from werkzeug.test import run_wsgi_app

HTML = "text/html; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>\n"
HUGE = json.dumps({"access_token": "a" * 10_000_000, "token_type": "Bearer", "expires_in": 3600}).encode()


class Troubles:
    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith("/trouble/"):
            return self.application(environ, start_response)
        trouble = TROUBLES.get(path.removeprefix("/trouble/"))
        if not trouble or environ["REQUEST_METHOD"] != "POST":
            return answer(start_response, "404 Not Found", b"no such trouble\n", "text/plain")
        return trouble(self, environ, start_response)

    def good(self, environ):
        """What /token answers: the body, the status, and the header fields."""
        body, status, fields = run_wsgi_app(self.application, environ | {"PATH_INFO": "/token"}, buffered=True)
        return b"".join(body), status, list(fields.items())


def answer(start_response, status, body, kind="application/json", **fields):
    fields = [(name.replace("_", "-"), value) for name, value in fields.items()]
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))] + fields)
    return [body]


def fixed(status, body, kind="application/json", **fields):
    return lambda troubles, environ, start_response: answer(start_response, status, body, kind, **fields)


def changed(change):
    """/token's answer with a change to its JSON object."""

    def trouble(troubles, environ, start_response):
        body, status, fields = troubles.good(environ)
        if status.startswith("200 "):
            values = json.loads(body)
            change(values)
            return answer(start_response, status, json.dumps(values).encode())
        start_response(status, fields)
        return [body]

    return trouble


def send(environ, parts, status=0):
    """Sends bytes as they are, and nothing more: Werkzeug takes the error for a connection that the client dropped."""
    environ["tests.request"]["status"] = status
    transport = environ["werkzeug.socket"]
    for part in parts:
        transport.sendall(part)
    raise ConnectionAbortedError


def whole(troubles, environ, delimited=False):
    """/token's answer as bytes: head, body and status."""
    body, status, fields = troubles.good(environ)
    fields = [(name, value) for name, value in fields if name.lower() not in ("content-length", "connection")]
    fields += [("Connection", "close")] + ([] if delimited else [("Content-Length", str(len(body)))])
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return head.encode(), body, int(status.split(" ")[0])


def huge_chunked(troubles, environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return (HUGE[place : place + 65536] for place in range(0, len(HUGE), 65536))


def chunked(troubles, environ, start_response):
    body, status, fields = troubles.good(environ)
    start_response(status, [field for field in fields if field[0].lower() != "content-length"])
    return (body[place : place + 7] for place in range(0, len(body), 7))


def close_delimited(troubles, environ, start_response):
    head, body, status = whole(troubles, environ, delimited=True)
    send(environ, [head, body], status)


def truncated(troubles, environ, start_response):
    head, body, status = whole(troubles, environ)
    send(environ, [head, body[: len(body) // 2]], status)


def trickle(troubles, environ, start_response):
    head, body, status = whole(troubles, environ)

    def bytewise():
        for byte in head + body:
            yield bytes([byte])
            time.sleep(0.001)

    send(environ, bytewise(), status)


def slow(troubles, environ, start_response):
    while environ["werkzeug.socket"].recv(4096):
        pass
    send(environ, [])


def echo_secret(troubles, environ, start_response):
    form = dict(environ["tests.request"]["form"])
    words = [form[name] for name in ("client_secret", "password", "refresh_token", "assertion") if name in form]
    header = environ.get("HTTP_AUTHORIZATION")
    if header:
        decoded = base64.b64decode(header.partition(" ")[2]).decode()
        words += [header, decoded, urllib.parse.unquote_plus(decoded)]
    values = {"error": "invalid_client", "error_description": "wrong: " + " ".join(words)}
    return answer(start_response, "400 Bad Request", json.dumps(values).encode())


def break_line(values):
    token = values["access_token"]
    values["access_token"] = token[:10] + "\r\nX-Injected: yes\r\n" + token[10:]


TROUBLES = {
    "html": fixed("200 OK", PAGE, HTML),
    "no-token": fixed("200 OK", b"{}"),
    "huge": fixed("200 OK", HUGE),
    "huge-chunked": huge_chunked,
    "redirect": fixed("302 Found", PAGE, HTML, Location="/token"),
    "redirect-post": fixed("307 Temporary Redirect", PAGE, HTML, Location="/token"),
    "unavailable": fixed("503 Service Unavailable", PAGE, HTML, Retry_After="120"),
    "slow": slow,
    "truncated": truncated,
    "echo-secret": echo_secret,
    "chunked": chunked,
    "close-delimited": close_delimited,
    "trickle": trickle,
    "not-bearer": changed(lambda values: values.update(token_type="mac")),
    "bad-token": changed(break_line),
    "string-expiry": changed(lambda values: values.update(expires_in=str(values["expires_in"]))),
    "no-expiry": changed(lambda values: values.pop("expires_in")),
}
