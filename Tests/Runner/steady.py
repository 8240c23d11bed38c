#!/usr/bin/env python3
"""Runs the tests many times beside processes that keep the processor busy, and prints how often each one failed."""

import collections
import subprocess
import sys

import suites
from process import Bundle
from run import parser, say


def own_parser():
    result = parser(__doc__)
    result.add_argument("--runs", type=int, default=10)
    result.add_argument("--load", type=int, default=4, help="busy processes")
    return result


def main():
    options = own_parser().parse_args()
    bundle = Bundle(options.scratch_path, options.sanitize)
    failures = collections.defaultdict(list)
    count = 0
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.load)]
    try:
        for number in range(1, options.runs + 1):
            result = suites.run(bundle, options.filter, options.skip, options.jobs, lambda text: None)
            count = max(count, len(result.passed) + len(result.failed))
            for test in result.failed:
                failures[test.label].append(test.issues[0])
            for process, lines in result.faults:
                failures[f"process {process.name}" if process else "the run"].append(lines[0])
            say(f"run {number} of {options.runs}: {len(result.passed)} passed, "
                f"{len(result.failed) + len(result.faults)} failed, in {result.seconds:.0f} s")
            for test in result.failed:
                say(f"    {test.summary}")
            for process, lines in result.faults:
                for line in lines[:40]:
                    say(f"    {line[:300]}")
    finally:
        for process in busy:
            process.kill()
    say(f"{count} tests, {options.runs} runs, {options.load} busy processes beside them")
    for label, issues in sorted(failures.items(), key=lambda entry: -len(entry[1])):
        say(f"{len(issues):3} of {options.runs} failed: {label}")
        for issue in sorted(set(issues)):
            say(f"        {issue[:300]}")
    if not failures:
        say("none failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
