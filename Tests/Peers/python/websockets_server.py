"""The tests' server on Python's `websockets`.

Listens on 127.0.0.1, on a port that the system chose or on --port, and prints "ready PORT"; with --unix PATH on a
socket of the file system, and prints "ready PATH". With --tls-certificate it speaks TLS; the suites of TLS 1.3 are
OpenSSL's own then, for Python has no way to choose them before 3.15. What a connection does is chosen by the path
(anything after a question mark is ignored):

/echo                   sends each message back, text as text and binary as binary
/fragmented             sends each message back in three frames
/count                  counts messages; answers the text "report" with {"count": messages, "bytes": their payload}
/record                 prints "got MESSAGE" for each text message, then sends it back
/close/CODE[/REASON]    closes at once; the reason is percent-encoded; code 1006 drops TCP without a close frame
/push/COUNT/SIZE        sends COUNT binary messages of SIZE bytes; all bytes of message n are n modulo 256
/text/COUNT             sends COUNT text messages "message 0", "message 1", ...
/slow-read              reads nothing, so that whoever writes to it comes to a halt
/headers                sends the request's header fields as a JSON list of [name, value]
/tls                    sends what it has seen of TLS as JSON, then does as /echo; see tls_facts
/ping                   sends one ping, waits for its pong, sends the text "pong received"
anything else           is refused with 404

Except for /close, the connection then stays until the client closes it.
"""

import argparse
import asyncio
import http
import json
import ssl
import urllib.parse
import warnings

from websockets.asyncio.server import serve, unix_serve


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def fragmented(connection):
    async for message in connection:
        third = len(message) // 3
        await connection.send([message[:third], message[third : 2 * third], message[2 * third :]])


async def count(connection):
    messages = payload = 0
    async for message in connection:
        if message == "report":
            await connection.send(json.dumps({"count": messages, "bytes": payload}))
        else:
            messages += 1
            payload += len(message.encode() if isinstance(message, str) else message)


async def record(connection):
    async for message in connection:
        print("got", message, flush=True)
        await connection.send(message)


async def close(connection, code, reason=""):
    if code == "1006":
        connection.transport.abort()
    else:
        await connection.close(int(code), urllib.parse.unquote(reason))


async def push(connection, messages, size):
    for number in range(int(messages)):
        await connection.send(bytes([number % 256]) * int(size))
    await drain(connection)


async def text(connection, messages):
    for number in range(int(messages)):
        await connection.send(f"message {number}")
    await drain(connection)


async def slow_read(connection):
    await connection.wait_closed()


async def headers(connection):
    await connection.send(json.dumps(list(connection.request.headers.raw_items())))
    await drain(connection)


def tls_facts(connection):
    """All null, but "reused" false, where there is no TLS. "subject" is that of a client's certificate, as in "CN=x"."""
    tls = connection.transport.get_extra_info("ssl_object")
    certificate = (tls.getpeercert() if tls else None) or {}
    names = {"commonName": "CN"}
    subject = [f"{names.get(name, name)}={value}" for parts in certificate.get("subject", ()) for name, value in parts]
    return {
        "version": tls.version() if tls else None,
        "cipher": tls.cipher()[0] if tls else None,
        "serverName": getattr(tls, "server_name_sent", None),
        "protocol": tls.selected_alpn_protocol() if tls else None,
        "reused": bool(tls and tls.session_reused),
        "subject": ",".join(subject) or None,
        "serial": certificate.get("serialNumber"),
    }


async def tls(connection):
    await connection.send(json.dumps(tls_facts(connection)))
    await echo(connection)


async def ping(connection):
    await (await connection.ping())
    await connection.send("pong received")
    await drain(connection)


async def drain(connection):
    async for _ in connection:
        pass


HANDLERS = {
    "echo": echo,
    "fragmented": fragmented,
    "count": count,
    "record": record,
    "close": close,
    "push": push,
    "text": text,
    "slow-read": slow_read,
    "headers": headers,
    "tls": tls,
    "ping": ping,
}


def parts(request):
    return request.path.partition("?")[0].strip("/").split("/")


def refuse_unknown(connection, request):
    if parts(request)[0] not in HANDLERS:
        return connection.respond(http.HTTPStatus.NOT_FOUND, "no such path\n")


async def handle(connection):
    name, *arguments = parts(connection.request)
    await HANDLERS[name](connection, *arguments)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compression", choices=["on", "off"], default="off")
    parser.add_argument("--port", type=int, default=0, help="default: any")
    parser.add_argument("--max-size", type=int, default=None, help="longest message accepted; default: no limit")
    parser.add_argument("--max-queue", type=int, default=16, help="messages read ahead")
    parser.add_argument("--unix", metavar="PATH", help="listen on this socket of the file system")
    parser.add_argument("--tls-certificate", metavar="FILE", help="PEM: its certificate, then those above it")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--tls-versions", nargs=2, metavar=("OLDEST", "NEWEST"), default=["TLSv1.2", "TLSv1.3"])
    parser.add_argument("--tls-ciphers", default="DEFAULT:@SECLEVEL=0", help="for TLS 1.2 and older")
    parser.add_argument("--tls-client-trust", metavar="FILE", help="PEM: asks for certificates of these roots")
    parser.add_argument("--tls-protocols", default="", help="for ALPN, with commas between, best first")
    parser.add_argument("--tls-tickets", choices=["on", "off"], default="on", help="whether sessions can be resumed")
    return parser.parse_args()


def note_server_name(tls, name, context):
    tls.server_name_sent = name


def tls_context(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Python calls TLS 1.0 and 1.1 deprecated; whoever asks for them here wants just that.
    warnings.simplefilter("ignore", DeprecationWarning)
    oldest, newest = (ssl.TLSVersion[version.replace(".", "_")] for version in options.tls_versions)
    context.minimum_version, context.maximum_version = oldest, newest
    context.set_ciphers(options.tls_ciphers)
    context.load_cert_chain(options.tls_certificate, options.tls_key)
    if options.tls_client_trust:
        context.load_verify_locations(options.tls_client_trust)
        context.verify_mode = ssl.CERT_REQUIRED
    if options.tls_protocols:
        context.set_alpn_protocols(options.tls_protocols.split(","))
    if options.tls_tickets == "off":
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
    context.sni_callback = note_server_name
    return context


async def main(options):
    listen, place = (unix_serve, [options.unix]) if options.unix else (serve, ["127.0.0.1", options.port])
    server = await listen(
        handle,
        *place,
        process_request=refuse_unknown,
        compression="deflate" if options.compression == "on" else None,
        max_size=options.max_size,
        max_queue=options.max_queue,
        # Tests measure who pings whom, and some stay silent for long: the server sends no pings of its own.
        ping_interval=None,
        close_timeout=5,
        ssl=tls_context(options) if options.tls_certificate else None,
    )
    print("ready", options.unix or server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
