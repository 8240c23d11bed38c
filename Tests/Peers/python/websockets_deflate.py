"""An echo server on Python's `websockets` for every combination of its permessage-deflate parameters.

Each combination listens on a port of its own of 127.0.0.1, which the system chose. Prints "ready" and a JSON list of
[port, server_no_context_takeover, client_no_context_takeover, server_max_window_bits, client_max_window_bits], where
null stands for a window that the server does not ask for. A message comes back as it came; those that begin with the
character "f" come back in three frames.
"""

import asyncio
import itertools
import json

from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

# zlib makes nothing with a window of 8 bits, so the server cannot use one; it can read what a client makes with it.
SERVER_WINDOWS = [None, 9, 10, 11, 12, 13, 14, 15]
CLIENT_WINDOWS = [None, 8, 9, 10, 11, 12, 13, 14, 15]


async def echo(connection):
    async for message in connection:
        if message[:1] in ("f", b"f"):
            third = len(message) // 3
            await connection.send([message[:third], message[third : 2 * third], message[2 * third :]])
        else:
            await connection.send(message)


async def listen(parameters):
    server = await serve(
        echo,
        "127.0.0.1",
        0,
        extensions=[ServerPerMessageDeflateFactory(*parameters)],
        compression=None,
        max_size=None,
        ping_interval=None,
        close_timeout=5,
    )
    return [server.sockets[0].getsockname()[1], *parameters]


async def main():
    combinations = itertools.product([False, True], [False, True], SERVER_WINDOWS, CLIENT_WINDOWS)
    ports = [await listen(parameters) for parameters in combinations]
    print("ready", json.dumps(ports), flush=True)
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
