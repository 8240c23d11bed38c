#!/usr/bin/env python3
"""Runs the Autobahn test suite against the client and the echo server, and writes the report into README.md, one for each release
of libwebsockets.

usage: run.py CLIENT SERVER [CASES]

CLIENT and SERVER are the programs lws-conformance and lws-echo-server; CASES patterns such as "1.*,2.*", for which the report
is only printed. The suite needs Python 2.7 (from pyenv or the PATH), or Docker.
"""

import atexit
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
WORK = HERE.parent.parent / ".build" / "conformance"
SUITE = "autobahntestsuite==25.10.1"
IMAGE = "crossbario/autobahn-testsuite:25.10.1"
AGENT = "swift-lws"
# Seconds; both suites take a quarter of an hour where nothing else runs.
LIMIT = 5400

children = []
atexit.register(lambda: [child.kill() for child in children if child.poll() is None])


def main(client, server, cases="*"):
    WORK.mkdir(parents=True, exist_ok=True)
    # A suite that ends early must not pass with the last run's results.
    shutil.rmtree(WORK / "reports", ignore_errors=True)
    wstest = find_suite()
    # Nearly all of the time goes into the suite's own Python, a core for each.
    running = [run_client_suite(wstest, client, cases), run_server_suite(wstest, server, cases)]
    for wait in running:
        wait()
    children.clear()
    results = {kind: read_report(kind) for kind in ("clients", "servers")}
    version = report.library_version()
    text, is_fine = report.write(version, results, json.loads((HERE / "reasons.json").read_text()))
    print(text)
    if cases == "*":
        replace_report(version, text)
    sys.exit(0 if is_fine else 1)


# The suite


def find_suite():
    """Returns a function that starts wstest with arguments and a folder that holds its files."""
    python = find_python()
    if python:
        return lambda arguments: start_python(install(python), arguments)
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True).returncode == 0:
        return start_docker
    sys.exit("The Autobahn test suite needs Python 2.7 (pyenv install 2.7.18), or Docker.")


def find_python():
    environment = dict(os.environ, PYENV_VERSION="2.7.18")
    if shutil.which("pyenv"):
        found = subprocess.run(["pyenv", "which", "python"], env=environment, capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.strip()
    python = shutil.which("python2.7")
    # pyenv leaves programs of that name that only say which version is missing.
    works = python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    return python if works else None


def install(python):
    folder = WORK / "autobahn"
    program = folder / "bin" / "wstest"
    if not program.exists():
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder, SUITE],
            check=True)
        # Without it Python takes the folder for no package.
        (folder / "zope" / "__init__.py").touch()
    return python, folder, program


def start_python(installed, arguments):
    python, folder, program = installed
    # The suite's order of header fields depends on the seed.
    environment = dict(os.environ, PYTHONPATH=str(folder), PYTHONHASHSEED="0")
    log = open(WORK / f"{arguments[1]}.log", "w")
    # Its web server is turned off.
    return start([python, program, *arguments, "-u", "0"], cwd=WORK, env=environment, stdout=log, stderr=log)


def start_docker(arguments):
    log = open(WORK / f"{arguments[1]}.log", "w")
    command = ["docker", "run", "--rm", "--network", "host", "-v", f"{WORK}:{WORK}", "-w", str(WORK), IMAGE, "wstest"]
    return start([*command, *arguments, "-u", "0"], stdout=log, stderr=log)


def start(command, **options):
    children.append(subprocess.Popen(command, **options))
    return children[-1]


def specification(name, **members):
    path = WORK / f"{name}.json"
    path.write_text(json.dumps(members))
    return str(path)


# Both suites


def run_client_suite(wstest, client, cases):
    port = free_port()
    file = specification(
        "fuzzingserver", url=f"ws://127.0.0.1:{port}", outdir="reports/clients", cases=cases.split(","),
        **{"exclude-cases": [], "exclude-agent-cases": {}})
    suite = wstest(["-m", "fuzzingserver", "-s", file])
    wait_for(port, suite)
    tested = start([client, f"ws://127.0.0.1:{port}", "--agent", AGENT])

    def wait():
        status = tested.wait(LIMIT)
        suite.terminate()
        suite.wait(60)
        if status:
            sys.exit("The client ended some case in a way that it should not, see above.")

    return wait


def run_server_suite(wstest, server, cases):
    tested = start([server, "--port", "0"], stdout=subprocess.PIPE, text=True)
    url = tested.stdout.readline().split()[-1]
    file = specification(
        "fuzzingclient", servers=[{"agent": AGENT, "url": url}], outdir="reports/servers", cases=cases.split(","),
        **{"exclude-cases": [], "exclude-agent-cases": {}})
    suite = wstest(["-m", "fuzzingclient", "-s", file])

    def wait():
        suite.wait(LIMIT)
        is_alive = tested.poll() is None
        tested.terminate()
        tested.wait(60)
        if not is_alive:
            sys.exit("The echo server did not survive.")

    return wait


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, limit=60):
    """The suite takes some seconds to listen, and has no other way to say that it does."""
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"The fuzzing server did not start; see {WORK}.")


def read_report(kind):
    return json.loads((WORK / "reports" / kind / "index.json").read_text())[AGENT]


def replace_report(version, text):
    """Puts the report in the place of the last one of that release, behind those of older ones."""
    path = HERE / "README.md"
    head, *parts = path.read_text().split("<!-- report ")
    reports = dict(part.split(" -->\n", 1) for part in parts)
    reports[version] = text
    ordered = sorted(reports, key=lambda release: [int(number) for number in release.split(".")])
    parts = [f"<!-- report {release} -->\n{reports[release].rstrip()}\n" for release in ordered]
    path.write_text(head.rstrip() + "\n\n" + "\n".join(parts))


if __name__ == "__main__":
    import report

    main(*sys.argv[1:])
