"""What a test process did, read from Swift Testing's event stream: JSON, one record a line, written while it runs."""

import json


class Test:
    """One test function of one process."""

    def __init__(self, identifier, name):
        self.identifier = identifier
        self.name = name
        self.issues = []
        self.isSkipped = False
        self.started = None
        self.ended = None

    @property
    def suite(self):
        return self.identifier.split("/")[0]

    @property
    def label(self):
        """What a reader finds it by: target, suites and function, without the file."""
        return self.identifier.rsplit("/", 1)[0]

    @property
    def summary(self):
        """What failed first, in a line."""
        return f"{self.label}: {self.issues[0][:300]}"

    @property
    def seconds(self):
        return (self.ended or self.started) - self.started if self.started is not None else 0.0


class Stream:
    """A process's event stream, as far as it has been written."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.tests = {}
        self.isOver = False
        # Issues that belong to no test: recorded by a thread that outlived its own.
        self.strays = []

    def read(self):
        """Reads what came since the last call. Returns whether something did."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return False
        complete = data[: data.rfind(b"\n") + 1]
        self.offset += len(complete)
        for line in complete.splitlines():
            if line.strip():
                self._take(json.loads(line))
        return bool(complete)

    def _take(self, record):
        payload = record["payload"]
        if record["kind"] == "test":
            if payload["kind"] == "function":
                name = payload.get("displayName") or payload["name"]
                self.tests[payload["id"]] = Test(payload["id"], name)
            return
        kind = payload["kind"]
        if kind == "runEnded":
            self.isOver = True
        test = self.tests.get(payload.get("testID"))
        if kind == "issueRecorded":
            self._takeIssue(payload, test)
        elif test is None:
            return
        elif kind == "testStarted":
            test.started = payload["instant"]["absolute"]
        elif kind == "testEnded":
            test.ended = payload["instant"]["absolute"]
        elif kind == "testSkipped":
            test.isSkipped = True

    def _takeIssue(self, payload, test):
        issue = payload["issue"]
        if issue.get("isKnown") or issue.get("severity", "error") != "error":
            return
        place = issue.get("sourceLocation") or {}
        where = f"{place.get('fileID', '?').split('/')[-1]}:{place.get('line', '?')}"
        text = " | ".join(message["text"] for message in payload["messages"])
        (test.issues if test else self.strays).append(f"{where}: {text}")

    @property
    def running(self):
        """The tests that began and did not end: where the process ended with them, one of them ended it."""
        return [test for test in self.tests.values() if test.started is not None and test.ended is None]

    @property
    def failed(self):
        return [test for test in self.tests.values() if test.issues]

    @property
    def passed(self):
        return [test for test in self.tests.values() if test.ended is not None and not test.issues]

    @property
    def skipped(self):
        return [test for test in self.tests.values() if test.isSkipped]
