"""Clients in Python: the library websockets, in its synchronous form, and websocket-client.

python_client.py websockets|websocket-client, then the command line that all clients share (measure.h).
"""

import argparse
import json
import os
import ssl
import statistics
import sys
import threading
import time

TEXT_STEP, TEXT_STEPS, TEXT_LARGEST = 61, 64, 1 << 20


def make_text(size):
    """The text that all messages are cut from, as measure.c makes it."""
    state, made = 1, bytearray(size)
    for at in range(size):
        state = (state * 1103515245 + 12345) & 0xFFFFFFFF
        made[at] = b"abcdefghijklmnop"[state >> 16 & 15]
    return bytes(made)


def fail(text):
    print(f"failed: {text}", file=sys.stderr)
    os._exit(1)


class WebSockets:
    def __init__(self, options):
        from websockets.sync.client import connect
        arguments = {"ssl": context(options)} if options.ca else {}
        self.socket = connect(url(options), compression="deflate" if options.compress else None, max_size=None,
                              ping_interval=None, **arguments)
        self.send = self.socket.send
        self.receive = self.socket.recv

    def close(self):
        self.socket.close()


class WebSocketClient:
    def __init__(self, options):
        from websocket import create_connection
        if options.compress:
            fail("websocket-client has no compression")
        arguments = {"sslopt": {"context": context(options)}} if options.ca else {}
        self.socket = create_connection(url(options), skip_utf8_validation=True, **arguments)
        self.receive = self.socket.recv

    def send(self, message):
        if isinstance(message, str):
            self.socket.send(message)
        else:
            self.socket.send_binary(message)

    def close(self):
        self.socket.close()


def context(options):
    return ssl.create_default_context(cafile=options.ca)


def url(options):
    paths = {"send": "/sink", "receive": f"/blast/{options.size}/{options.count}"}
    return options.url + paths.get(options.workload, "/echo")


class Run:
    def __init__(self, options):
        self.options, self.size = options, options.size
        self.ring = 4 if options.size > 65536 else 64
        text = make_text(TEXT_STEP * TEXT_STEPS + options.size)
        self.messages = [text[number * TEXT_STEP:][:options.size] for number in range(TEXT_STEPS)]
        self.make = {"websockets": WebSockets, "websocket-client": WebSocketClient}[options.library]

    def work(self, client, count):
        workload, messages = self.options.workload, self.messages
        if workload == "receive":
            client.send(str(count))
            for number in range(count):
                if client.receive() != messages[number % self.ring]:
                    fail("wrong content")
        elif workload == "send":
            for number in range(count):
                client.send(messages[number % TEXT_STEPS])
            client.send("?")
            counted = client.receive()
            if not (counted.startswith(f"{count} ") if self.options.compress else counted == f"{count} {count * self.size}"):
                fail(f"the server counted something else: {counted}")
        else:
            for number in range(count):
                client.send(messages[number % TEXT_STEPS])
                if client.receive() != messages[number % TEXT_STEPS]:
                    fail("wrong content")

    def exchange(self):
        options = self.options
        clients = [self.make(options) for _ in range(options.clients)]
        start = threading.Barrier(options.clients, self.start)
        stop = threading.Barrier(options.clients, self.stop)

        def work(client):
            try:
                self.work(client, options.warmup)
                start.wait()
                self.work(client, options.count)
                stop.wait()
            except Exception as error:  # noqa: BLE001: whatever it is, the run is void
                fail(repr(error))

        threads = [threading.Thread(target=work, args=(client,)) for client in clients[1:]]
        for thread in threads:
            thread.start()
        work(clients[0])
        return options.count * options.clients

    def connect(self):
        times = []
        for at in range(self.options.warmup + self.options.count):
            if at == self.options.warmup:
                self.start()
            began = time.monotonic()
            client = self.make(self.options)
            times.append(time.monotonic() - began)
            client.close()
        self.stop()
        self.median = statistics.median(times)
        return self.options.count

    def start(self):
        self.started, self.used = time.monotonic(), time.process_time()

    def stop(self):
        self.stopped, self.used = time.monotonic(), time.process_time() - self.used


def parse():
    parser = argparse.ArgumentParser()
    for name in ("library", "workload", "url"):
        parser.add_argument(name)
    for name, default in (("size", 64), ("count", 1000), ("warmup", None), ("clients", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--compress", action="store_true")
    parser.add_argument("--ca")
    options = parser.parse_args()
    if options.warmup is None:
        options.warmup = options.count // 10 + 1
    return options


options = parse()
run = Run(options)
run.median = None
operations = run.connect() if options.workload == "connect" else run.exchange()
result = {
    "workload": options.workload, "size": options.size, "count": options.count, "clients": options.clients,
    "operations": operations, "seconds": run.stopped - run.started,
    "threads": [{"name": "python", "count": threading.active_count(), "cpu": run.used}],
}
if run.median is not None:
    result["median"] = run.median
print(json.dumps(result), flush=True)
os._exit(0)
