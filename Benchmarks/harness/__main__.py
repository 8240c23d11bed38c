"""Runs the benchmark: python3 -m harness, as the Makefile calls it."""

import argparse
import os
import re
import sys
import tempfile
import time

from . import plot, results, table
from .measure import Runner
from .programs import CORES, Failed, Programs
from .rows import CHECKED, CHECKED_PEERS, all_rows, peers_of


def parse():
    parser = argparse.ArgumentParser(prog="harness")
    parser.add_argument("--peers", required=True, help="folder of the programs in C and C++")
    parser.add_argument("--swift", required=True, help="folder of the programs in Swift")
    parser.add_argument("--python", required=True, help="the Python that has the peers in Python")
    parser.add_argument("--rows", help="only the rows whose name this expression finds; writes no files")
    parser.add_argument("--only", default="", help="only the peers whose name this expression finds; writes no files")
    parser.add_argument("--quick", action="store_true", help="the rows of the goals alone, shorter; writes no files")
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.add_argument("--rounds", type=int, help="how often each peer is measured in each row")
    parser.add_argument("--seconds", type=float, help="how long a measurement takes, about")
    parser.add_argument("--server", choices=("c", "beast"), default="c", help="which server")
    parser.add_argument("--pin", choices=[name for name in CORES if name],
                        help="cores for server and clients; the system chooses otherwise")
    parser.add_argument("--output", help="where results.json and results.svg go, whatever was measured")
    return parser.parse_args()


def check_library(rows, expected):
    """All peers on libwebsockets have loaded the one that was asked for."""
    paths = {os.path.realpath(result["libwebsockets"]) for row in rows for found in row.values()
             for result in found.results if "libwebsockets" in result}
    for path in paths:
        if len(paths) > 1 or os.path.dirname(path) != os.path.realpath(expected):
            raise Failed(f"libwebsockets of {expected} was asked for, loaded was {', '.join(sorted(paths))}")


def main(options):
    version, folder = os.environ["LWS_VERSION"], os.environ["LWS_LIBDIR"]
    options.seconds = options.seconds or (0.2 if options.quick else 0.4)
    options.rounds = options.rounds or (3 if options.quick else 5)
    rows = [row for row in all_rows() if re.search(options.rows or "", row.name) and (row.quick or not options.quick)]
    if options.list:
        print("\n".join(row.name for row in rows))
        return 0
    everything = not (options.rows or options.only or options.quick)
    output = options.output or ("." if everything else None)

    def say(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def measure(rows, server, allowed=None):
        found = []
        runner = Runner(programs, server, options, say)
        for row in rows:
            peers = [peer for peer in peers_of(row, options.quick, programs.has_uv)
                     if re.search(options.only, peer) and peer in (allowed or row.peers)]
            if peers:
                found.append(runner.run(row, peers))
                print("\n".join(table.lines(found[-1])), flush=True)
        check_library(found, folder)
        return found

    began = time.monotonic()
    settings = {"libwebsockets": version, "server": options.server, "pinned": options.pin or "no",
                "rounds": options.rounds, "seconds": options.seconds}
    print(", ".join(f"{name}: {value}" for name, value in settings.items()))
    print(table.HEADING)
    with tempfile.TemporaryDirectory() as temporary:
        programs = Programs(options.peers, options.swift, options.python, options.pin, temporary)
        programs.make_certificate()
        measured, checked = measure(rows, options.server), []
        if everything:
            print("\nThe same with the second server, Boost.Beast with a thread for each connection:")
            checked = measure([row for row in rows if row.name in CHECKED], "beast", CHECKED_PEERS)
    if output:
        results.write(f"{output}/results.json", settings, measured, checked)
        title = f"swift-lws and its peers, libwebsockets {version}"
        with open(f"{output}/results.svg", "w") as file:
            file.write(plot.draw(measured, title))
    failed = [one for row in measured + checked for one in row.values() if one.failure]
    print(f"{len(measured)} rows in {time.monotonic() - began:.0f} s, {len(failed)} failed measurements")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(parse()))
    except Failed as failure:
        sys.exit(f"failed: {failure}")
