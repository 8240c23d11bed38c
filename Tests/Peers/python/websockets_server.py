"""The tests' server on Python's `websockets`.

Listens on 127.0.0.1, on a port that the system chose or on --port, and prints "ready PORT"; with --unix PATH on a
socket of the file system, and prints "ready PATH". What a connection does is chosen by the path (anything after a
question mark is ignored):

/echo                   sends each message back, text as text and binary as binary
/fragmented             sends each message back in three frames
/count                  counts messages; answers the text "report" with {"count": messages, "bytes": their payload}
/record                 prints "got MESSAGE" for each text message, then sends it back
/close/CODE[/REASON]    closes at once; the reason is percent-encoded; code 1006 drops TCP without a close frame
/push/COUNT/SIZE        sends COUNT binary messages of SIZE bytes; all bytes of message n are n modulo 256
/text/COUNT             sends COUNT text messages "message 0", "message 1", ...
/slow-read              reads nothing, so that whoever writes to it comes to a halt
/headers                sends the request's header fields as a JSON list of [name, value]
/ping                   sends one ping, waits for its pong, sends the text "pong received"
anything else           is refused with 404

Except for /close, the connection then stays until the client closes it.
"""

import argparse
import asyncio
import http
import json
import urllib.parse

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
    return parser.parse_args()


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
    )
    print("ready", options.unix or server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
