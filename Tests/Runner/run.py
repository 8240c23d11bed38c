#!/usr/bin/env python3
"""Runs the tests that are built. Exits with 0 where all passed, with `--again` also where those that failed pass by
themselves: they are named at the end, as unsteady."""

import argparse
import sys

import suites
from process import Bundle


def parser(description):
    """With the options of everything that runs tests."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--filter", action="append", default=[], help="a regular expression: only tests it is found in")
    result.add_argument("--skip", action="append", default=[], help="a regular expression: no test it is found in")
    result.add_argument("--jobs", type=int, default=3, help="processes at a time")
    result.add_argument("--scratch-path", default=".build", help="where the tests are built")
    result.add_argument("--sanitize", choices=["thread", "address"], help="the sanitizer they are built with")
    return result


def own_parser():
    result = parser(__doc__)
    result.add_argument("--again", action="store_true", help="run a test that fails once more, by itself")
    result.add_argument("--unsteady", help="a file to which the tests that passed only then are added")
    result.add_argument("--slowest", type=int, default=0, help="print so many suites, the slowest first")
    return result


def say(text):
    print(text, flush=True)


def main():
    options = own_parser().parse_args()
    bundle = Bundle(options.scratch_path, options.sanitize)
    result = suites.run(bundle, options.filter, options.skip, options.jobs, say)
    failed = result.failed
    unsteady = []
    # A process that crashed, or of which a sanitizer had something to say, failed whatever its tests say the next time.
    if options.again and failed and not result.faults:
        say(f"{len(failed)} failed, and are run once more, each by itself")
        for test in failed:
            hasPassed, process = suites.again(bundle, test)
            if hasPassed:
                unsteady.append(test)
            else:
                suites.tell(process, 1, say)
    failed = [test for test in failed if test not in unsteady]
    if options.slowest:
        tellSlowest(result, options.slowest)
    for test in failed:
        say(f"FAILED: {test.summary}")
    for process, lines in result.faults:
        say(f"FAILED: {'process ' + process.name if process else 'the run'}: {lines[0][:300]}")
    lines = [f"UNSTEADY: {test.summary}" for test in unsteady]
    for line in lines:
        say(line)
    if options.unsteady:
        with open(options.unsteady, "a") as file:
            file.writelines(line + "\n" for line in lines)
    say(f"in {result.seconds:.0f} s, {len(unsteady)} of them by themselves only:" if unsteady
        else f"in {result.seconds:.0f} s:")
    say(f"{len(result.passed) + len(unsteady)} passed, {len(failed) + len(result.faults)} failed, "
        f"{len(result.skipped)} skipped")
    return 1 if failed or result.faults else 0


def tellSlowest(result, count):
    suitesSeconds = {}
    for test in result.passed + result.failed:
        suitesSeconds[test.suite] = suitesSeconds.get(test.suite, 0) + test.seconds
    for suite, seconds in sorted(suitesSeconds.items(), key=lambda entry: -entry[1])[:count]:
        say(f"{seconds:7.1f} s {suite}")


if __name__ == "__main__":
    sys.exit(main())
