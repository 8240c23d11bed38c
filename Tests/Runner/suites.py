"""A run of the test bundle: its suites in several processes at a time, and what came of it."""

import os
import re
import shutil
import time

from process import Process, exactly


class Result:
    def __init__(self):
        self.passed = []
        self.failed = []
        self.skipped = []
        # Crashes, sanitizers' reports, ends without a reason.
        self.faults = []
        self.seconds = 0.0

    def add(self, process):
        self.passed += process.stream.passed
        self.failed += process.stream.failed
        self.skipped += process.stream.skipped
        if process.faults:
            self.faults.append((process, process.faults))


def chosen(tests, filters, skips):
    if filters:
        tests = [test for test in tests if any(re.search(expression, test) for expression in filters)]
    return [test for test in tests if not any(re.search(expression, test) for expression in skips)]


def suite(test):
    """Where a test is in, with the suites around it."""
    return test.rsplit("/", 1)[0]


def shares(tests, count):
    """The tests' suites, dealt out in turn: neighbours by name are often of one kind, and slow together."""
    names = sorted({suite(test) for test in tests})
    wanted = [set(names[index::count]) for index in range(count)]
    return [[test for test in tests if suite(test) in share] for share in wanted if share]


def expressions(tests, everything):
    """What selects these tests: by suite where all of a suite's are among them."""
    filters = []
    for name in sorted({suite(test) for test in tests}):
        own = [test for test in tests if suite(test) == name]
        if len(own) == sum(suite(test) == name for test in everything):
            # Its functions, which have parentheses, and no suites inside it.
            filters.append("^" + re.escape(name) + r"/[^/]*\(")
        else:
            filters += ["^" + re.escape(test) + "/" for test in own]
    return filters


def run(bundle, filters=(), skips=(), jobs=3, say=print):
    """Runs the chosen tests. The processes share nothing, so that what one test leaves behind meets few others only."""
    started = time.monotonic()
    folder = os.path.join(bundle.scratch, "test-logs")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    everything = bundle.tests()
    tests = chosen(everything, filters, skips)
    result = Result()
    if not tests:
        result.faults.append((None, ["no test was chosen"]))
        return result
    # A process takes a second to begin, to many tests less than what even shares save.
    parts = shares(tests, jobs * 10 if len(tests) > 50 else jobs)
    waiting = [(f"{index + 1:02}", expressions(part, everything)) for index, part in enumerate(parts)]
    running = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name, chosenOnes = waiting.pop(0)
                running.append(Process(bundle, chosenOnes, folder, name))
            for process in [process for process in running if process.poll()]:
                running.remove(process)
                result.add(process)
                tell(process, len(parts), say)
            time.sleep(Process.PAUSE)
    finally:
        for process in running:
            process.kill()
    missing = len(tests) - len(result.passed) - len(result.failed) - len(result.skipped)
    if missing and not result.faults:
        result.faults.append((None, [f"{missing} of the {len(tests)} chosen tests did not run"]))
    result.seconds = time.monotonic() - started
    return result


def again(bundle, test):
    """Runs one test by itself, with nothing beside it. Returns whether it passed, and the process."""
    folder = os.path.join(bundle.scratch, "test-logs")
    name = "again-" + re.sub(r"\W+", "-", test.label)[:100]
    process = Process(bundle, [exactly(test.identifier)], folder, name)
    process.wait()
    return bool(process.stream.passed) and not process.stream.failed and not process.faults, process


def tell(process, count, say):
    stream = process.stream
    seconds = time.monotonic() - process.started
    failed = f", {len(stream.failed)} FAILED" if stream.failed else ""
    say(f"[{process.name} of {count}] {len(stream.passed)} tests passed{failed} in {seconds:.0f} s")
    for test in stream.failed:
        for issue in test.issues[:10]:
            say(f"    {test.label}\n        {issue[:1500]}")
    for line in process.faults:
        say(f"    {line[:1500]}")
