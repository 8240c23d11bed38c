"""The peers' programs and the servers."""

import contextlib
import json
import os
import subprocess

from .rows import BATCH, BEAST, EVENTS, LWS, RAW, RAW_UV, SYNC, WEBSOCKET_CLIENT, WEBSOCKETS

CORES = {
    None: {},
    "server": {"server": "0"},
    "apart": {"server": "0", "client": "1"},
    "together": {"server": "0", "client": "0"},
}


class Failed(Exception):
    """A program did not do what it had to, in words."""


class Server:
    def __init__(self, process):
        self.process = process
        self.port = int(process.stdout.readline())

    def processor(self):
        """Processor time of its main thread in seconds: all of the first server's."""
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9


class Programs:
    def __init__(self, peers, swift, python, pin, folder):
        self.peers, self.cores, self.folder = peers, CORES[pin], folder
        own, nio = [f"{swift}/swift-lws-client"], [f"{swift}/nio-client"]
        batch, events = ["--batch", "64"], ["--events"]
        snake = [python, "Peers/python_client.py"]
        self.clients = {
            LWS: own, LWS + BATCH: own + batch, RAW: [f"{peers}/raw-lws"],
            RAW_UV: [f"{peers}/raw-lws", "--uv"], BEAST: [f"{peers}/beast-client"],
            SYNC: nio, EVENTS: nio + events, SYNC + BATCH: nio + batch, EVENTS + BATCH: nio + events + batch,
            WEBSOCKETS: snake + ["websockets"], WEBSOCKET_CLIENT: snake + ["websocket-client"],
        }
        self.servers = {"c": [f"{peers}/server"], "beast": [f"{peers}/beast-server"]}
        # libwebsockets may have been built without libuv, or have it in a package of its own.
        self.has_uv = subprocess.run(
            [f"{peers}/raw-lws", "nothing", "ws://127.0.0.1:1", "--uv"], env=self.environment(RAW),
            capture_output=True).returncode == 0
        self.certificate, self.key = f"{folder}/certificate.pem", f"{folder}/key.pem"

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=benchmark", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)

    @staticmethod
    def environment(peer):
        of_its_own = {"LD_LIBRARY_PATH": os.environ["LWS_LIBDIR"]} if peer.startswith((LWS, RAW)) else {}
        return {**os.environ, **of_its_own}

    def placed(self, command, role):
        cores = self.cores.get(role)
        return ["taskset", "-c", cores, *command] if cores else command

    @contextlib.contextmanager
    def server(self, name, tls):
        """Runs a server, which listens on a free port and ends with its standard input."""
        arguments = ["--tls", self.certificate, self.key] if tls else []
        process = subprocess.Popen(
            self.placed([*self.servers[name], *arguments], "server"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield Server(process)
        finally:
            process.stdin.close()
            if process.wait(10) != 0:
                raise Failed(f"the server {name} ended with {process.returncode}")

    def run(self, peer, row, server, count):
        """Runs a client and returns its line of results."""
        scheme = "wss" if row.tls else "ws"
        command = [*self.clients[peer], row.workload, f"{scheme}://127.0.0.1:{server.port}",
                   "--size", row.size, "--count", count, *row.arguments]
        if row.tls:
            command += ["--ca", self.certificate]
        environment = self.environment(peer)
        if row.counts_calls:
            environment["LD_PRELOAD"] = os.path.abspath(f"{self.peers}/count-calls.so")
        try:
            ran = subprocess.run(self.placed([str(word) for word in command], "client"), capture_output=True,
                                 text=True, timeout=150, env=environment)
        except subprocess.TimeoutExpired:
            raise Failed("not done after 150 s") from None
        if ran.returncode != 0:
            raise Failed(f"exit {ran.returncode}: {ran.stderr.strip()[-300:]}")
        return json.loads(ran.stdout)
