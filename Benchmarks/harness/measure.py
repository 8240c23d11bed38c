"""Runs a row: its peers in turn, and all of them several times."""

import statistics

from .programs import Failed
from .rows import BATCH

LEAST = 20  # messages of a measurement


class Measurement:
    """What one peer did in one row."""

    def __init__(self, row, peer):
        self.row, self.peer, self.results, self.failure = row, peer, [], None

    def values(self, value):
        return [value(result) for result in self.results]

    @staticmethod
    def time(result):
        """Seconds of one operation: of one connection its making alone, without its end."""
        return result.get("median", result["seconds"] / result["operations"])

    @property
    def seconds(self):
        return statistics.median(self.values(self.time))

    @property
    def spread(self):
        times = self.values(self.time)
        return min(times), max(times)

    @property
    def allocations(self):
        return statistics.median(self.values(lambda result: result["allocations"] / result["operations"]))

    @property
    def locks(self):
        return statistics.median(self.values(lambda result: result["locks"] / result["operations"]))

    @property
    def memory(self):
        """Of each open client; of a single one, all of the process."""
        def value(result):
            if result["clients"] == 1:
                return result["memory_open"]
            return (result["memory_open"] - result["memory_before"]) / result["clients"]
        return statistics.median(self.values(value))

    @property
    def percentile_99(self):
        return statistics.median(self.values(lambda result: result["percentile_99"]))

    @property
    def longest(self):
        return statistics.median(self.values(lambda result: result["longest"]))

    @property
    def seconds_open(self):
        """How long it took to open all of them: 64 at a time with libwebsockets and swift-lws, else one after the other."""
        return statistics.median(self.values(lambda result: result["seconds_open"]))

    @property
    def seconds_next(self):
        """How long it takes to open one more; `None` where that was not measured."""
        times = [result["seconds_next"] for result in self.results if "seconds_next" in result]
        return statistics.median(times) if times else None

    @property
    def threads_open(self):
        return max(self.values(lambda result: result["threads_open"]))

    @property
    def processor(self):
        """Processor time of one operation, by thread: those of a name together."""
        found = {}
        for result in self.results:
            for entry in result["threads"]:
                found.setdefault(entry["name"], []).append(entry["cpu"] / result["operations"])
        return {name: statistics.median(times) for name, times in found.items()}

    @property
    def server(self):
        """Which part of the time the server was busy."""
        busy = self.values(lambda result: result.get("server_busy"))
        return None if None in busy else statistics.median(busy)


class Runner:
    def __init__(self, programs, server_name, options, say):
        self.programs, self.server_name, self.options, self.say = programs, server_name, options, say
        self.seconds = options.seconds

    def run(self, row, peers):
        """Returns the measurements by peer."""
        found = {peer: Measurement(row, peer) for peer in peers}
        with self.programs.server(self.server_name, row.tls) as server:
            counts = {}
            rounds = row.rounds if self.options.quick and row.rounds else self.options.rounds
            for peer, measurement in found.items():
                self.say(f"{row.name}: how many of {peer}")
                counts[peer] = row.count or self.attempt(measurement, self.find_count, row, peer, server)
            for number in range(rounds):
                self.say(f"{row.name}: round {number + 1} of {rounds}")
                for peer, measurement in found.items():
                    if measurement.failure:
                        continue
                    result = self.attempt(measurement, self.run_once, row, peer, server, counts[peer])
                    if result:
                        measurement.results.append(result)
        self.say("")
        return found

    @staticmethod
    def attempt(measurement, call, *arguments):
        try:
            return call(*arguments)
        except Failed as failure:
            measurement.failure = str(failure)

    def run_once(self, row, peer, server, count):
        used = server.processor()
        result = self.programs.run(peer, row, server, count)
        if self.server_name == "c" and row.workload in ("roundtrip", "receive", "send"):
            # The server's time includes the warm-up, which is an eleventh.
            result["server_busy"] = (server.processor() - used) / 1.1 / result["seconds"]
        return result

    def find_count(self, row, peer, server):
        """As many as take the time of one measurement, found with runs that get longer."""
        count, least = LEAST * (64 if peer.endswith(BATCH) else 1), self.seconds / 5
        while True:
            took = self.programs.run(peer, row, server, count)["seconds"]
            enough = int(count * self.seconds / max(took, 1e-6)) + 1
            if took >= least:
                return max(LEAST, enough)
            count = min(enough, count * 30)
