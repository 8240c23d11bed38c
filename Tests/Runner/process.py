"""One process of the test bundle: some of its suites, one test after the other."""

import functools
import os
import re
import signal
import subprocess
import sys
import time

from events import Stream

# No test takes a tenth of it. Who says nothing for so long will not say anything any more.
SILENCE = 900


class Bundle:
    """The tests as they are built."""

    def __init__(self, scratch=".build", sanitizer=None):
        self.scratch = scratch
        self.sanitizer = sanitizer
        self.options = ["--skip-build", "--disable-xctest", "--scratch-path", scratch]
        if sanitizer:
            self.options += ["--sanitize", sanitizer]

    def tests(self):
        """All tests, as TARGET.SUITE/FUNCTION."""
        listing = subprocess.run(
            ["swift", "test", "list", *self.options], check=True, stdout=subprocess.PIPE, text=True).stdout
        return [line.strip() for line in listing.splitlines() if "/" in line]

    def command(self, filters, stream):
        # Several at once: `swift test` would plan each time, for seconds. Elsewhere than on Linux a bundle is no program.
        arguments = ["--no-parallel", "--event-stream-output-path", stream]
        for expression in filters:
            arguments += ["--filter", expression]
        if sys.platform == "linux":
            program = os.path.join(self.scratch, "debug", "swift-lwsPackageTests.xctest")
            return [program, "--testing-library", "swift-testing", *arguments]
        return ["swift", "test", "--ignore-lock", *self.options, *arguments]

    def environment(self, reports):
        """Sanitizers write what they find into files that begin with `reports`, of each process that a test starts."""
        environment = dict(os.environ)
        for name in ("TSAN_OPTIONS", "ASAN_OPTIONS"):
            given = environment.get(name, "")
            environment[name] = f"{given}:log_path={reports}" if given else f"log_path={reports}"
        return environment


class Process:
    """A run of some tests. `filters` are regular expressions on their identifiers."""

    # Between two looks at processes and their streams: one thread looks at several.
    PAUSE = 0.05

    def __init__(self, bundle, filters, folder, name):
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        self.reports = os.path.join(folder, f"{name}.report")
        path = os.path.join(folder, f"{name}.jsonl")
        for old in (self.log, path):
            if os.path.exists(old):
                os.remove(old)
        self.stream = Stream(path)
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                bundle.command(filters, path), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=bundle.environment(self.reports), start_new_session=True)
        self.started = self.heard = time.monotonic()
        self.status = None
        self.isStuck = False

    def poll(self):
        """Reads the news. Returns whether the process has ended."""
        self.status = self.child.poll()
        if self.stream.read():
            self.heard = time.monotonic()
        if self.status is None and time.monotonic() - self.heard > SILENCE:
            self.isStuck = True
            os.killpg(self.child.pid, signal.SIGABRT)
            self.child.wait()
        return self.status is not None

    def wait(self):
        try:
            while not self.poll():
                time.sleep(self.PAUSE)
        finally:
            self.kill()

    def kill(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    @functools.cached_property
    def faults(self):
        """What is wrong with the process as a whole, which no test can be run again for: lines to print. Only asked for
        when it has ended."""
        lines = [f"{issue} (in no test)" for issue in self.stream.strays]
        for path in self.reportFiles():
            with open(path, errors="replace") as file:
                lines += [f"the sanitizer's report {path}:"] + file.read().splitlines()[:80]
        if self.isStuck:
            lines.append(f"nothing was heard of it for {SILENCE} s")
        if not self.stream.isOver or (self.status not in (0, 1) and not lines):
            lines += [f"ended with {self.status} during: {test.label}" for test in self.stream.running] or [
                f"ended with {self.status}"]
            with open(self.log, errors="replace") as file:
                printed = file.read().splitlines()
            crash = next((i for i, line in enumerate(printed) if re.search("Fatal error|rogram crashed", line)), None)
            lines += printed[-30:] if crash is None else printed[crash : crash + 40]
        elif self.status != 0 and not self.stream.failed and not lines:
            lines.append(f"ended with {self.status}, although no test failed; see {self.log}")
        return lines

    def reportFiles(self):
        folder, name = os.path.split(self.reports)
        return sorted(os.path.join(folder, file) for file in os.listdir(folder) if file.startswith(name + "."))


def exactly(identifier):
    """The regular expression for one test."""
    return "^" + re.escape(identifier) + "$"
