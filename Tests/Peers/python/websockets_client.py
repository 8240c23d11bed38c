"""The tests' client on Python's `websockets`.

    websockets_client.py URL [--mode MODE] [--compression on|off] [--window-bits N] [--no-context-takeover]
                             [--insecure-ca CERT] [--subprotocol NAME]

Prints "extensions: " with what was agreed to and "subprotocol: " likewise, does what the mode says, checks what comes
back, closes with 4000 "bye", checks that this is answered, and prints "ok". Ends with a traceback where something is
wrong. The modes:

echo            sends text and binary of 0 bytes to 1 MB, compressible and not; each has to come back as it was
fragmented      sends messages in fragments, some of them empty, with pings in between; they have to come back
mixed           sends messages with and without compression in turn on a connection that has compression
bomb            sends a frame that is 65 MiB uncompressed; has to be closed with 1009
frames N        sends a message of 1000 bytes, which has to come back in N frames
"""

import argparse
import asyncio
import random
import ssl

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

SIZES = [0, 1, 2, 125, 126, 127, 1023, 1024, 1025, 65535, 65536, 65537, 1_000_000]


def payloads(size):
    yield random.Random(size).randbytes(size)  # does not get smaller
    yield bytes(size)
    yield (b"0123456789" * (size // 10 + 1))[:size]
    yield ("€" * (size // 3) + "x" * (size % 3))


async def exchange(connection, message):
    await connection.send(message)
    same(await connection.recv(), message)


def same(got, expected):
    if got != expected or type(got) is not type(expected):
        raise AssertionError(f"expected {len(expected)} {expected[:50]!r}, got {len(got)} {got[:50]!r}")


async def echo(connection):
    for size in SIZES:
        for message in payloads(size):
            await exchange(connection, message)
    # Many on the way at once.
    messages = [random.Random(n).randbytes(n * 37) if n % 2 else "text " * n for n in range(200)]
    sending = asyncio.create_task(send_all(connection, messages))
    for message in messages:
        same(await connection.recv(), message)
    await sending


async def send_all(connection, messages):
    for message in messages:
        await connection.send(message)


async def fragmented(connection):
    for fragments in [
        ["one, ", "two, ", "three"],
        ["", "empty ones ", "", "around", ""],
        ["", ""],
        ["x" * 100_000, "y" * 100_000, "z"],
        [b"\x00\x01", b"", b"\x02" * 70_000, random.Random(1).randbytes(200_000)],
    ]:
        sent = asyncio.create_task(connection.send(with_pings(connection, fragments)))
        received = []
        async for fragment in connection.recv_streaming():
            received.append(fragment)
        await sent
        same(fragments[0][:0].join(received), fragments[0][:0].join(fragments))
        # The library adds an empty last frame to a message that is sent from a generator, and may hold one back.
        if [part for part in received if part] != [part for part in fragments if part]:
            raise AssertionError(f"boundaries: {[len(part) for part in received]}")
        await exchange(connection, "whole, in between")


async def with_pings(connection, fragments):
    for fragment in fragments:
        yield fragment
        await (await connection.ping())


async def mixed(connection):
    protocol = connection.protocol
    assert protocol.extensions, "there is no compression"
    for turn in range(20):
        agreed = protocol.extensions
        if turn % 3 != 0:
            protocol.extensions = []  # the parser keeps the list that it has
        await connection.send(f"turn {turn} " * 20)
        await connection.send([b"in ", b"", b"fragments"])
        protocol.extensions = agreed
        same(await connection.recv(), f"turn {turn} " * 20)
        same(await connection.recv(), b"in fragments")


async def bomb(connection):
    try:
        await exchange(connection, bytes(65 << 20))
    except ConnectionClosed as closed:
        assert closed.rcvd and closed.rcvd.code == 1009, closed
    else:
        raise AssertionError("not closed")


async def frames(connection, count):
    message = random.Random(5).randbytes(1000)
    await connection.send(message)
    received = [fragment async for fragment in connection.recv_streaming()]
    same(b"".join(received), message)
    assert len(received) == int(count), [len(fragment) for fragment in received]


MODES = {"echo": echo, "fragmented": fragmented, "mixed": mixed, "bomb": bomb, "frames": frames}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--mode", nargs="+", default=["echo"])
    parser.add_argument("--compression", choices=["on", "off"], default="off")
    parser.add_argument("--window-bits", type=int, default=None, help="the largest window of the server's compression")
    parser.add_argument("--no-context-takeover", action="store_true", help="for both directions")
    parser.add_argument("--insecure-ca", default=None, help="a certificate to trust, for wss")
    parser.add_argument("--subprotocol", default=None)
    return parser.parse_args()


async def main(options):
    settings = {}
    if options.compression == "on":
        settings["extensions"] = [
            ClientPerMessageDeflateFactory(
                server_no_context_takeover=options.no_context_takeover,
                client_no_context_takeover=options.no_context_takeover,
                server_max_window_bits=options.window_bits,
                client_max_window_bits=True,
            )
        ]
    if options.insecure_ca:
        settings["ssl"] = ssl.create_default_context(cafile=options.insecure_ca)
    if options.subprotocol:
        settings["subprotocols"] = [options.subprotocol]
    connection = await connect(
        options.url, compression=None, max_size=None, ping_interval=None, proxy=None, close_timeout=5, **settings
    )
    print("extensions:", connection.response.headers.get("Sec-WebSocket-Extensions", ""))
    print("subprotocol:", connection.subprotocol or "")
    mode, *rest = options.mode
    await MODES[mode](connection, *rest)
    await connection.close(4000, "bye")
    if mode != "bomb":
        assert (connection.close_code, connection.close_reason) == (4000, "bye"), connection.close_code
        assert connection.protocol.close_rcvd_then_sent is False, "the server closed first"
    print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
