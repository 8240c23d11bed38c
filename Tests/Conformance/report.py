"""Turns the Autobahn test suite's results into a table."""

import subprocess

GROUPS = {
    "1": "framing", "2": "pings and pongs", "3": "reserved bits", "4": "opcodes", "5": "fragmentation", "6": "UTF-8",
    "7": "closing", "9": "limits and performance", "10": "automatic fragmentation",
    "12": "compression, messages of all sizes", "13": "compression, all parameters",
}
FINE = {"OK", "INFORMATIONAL"}


def write(version, results, reasons):
    """Returns the report, and whether nothing failed, and there is a reason for everything else that is not OK."""
    clients, servers = results["clients"], results["servers"]
    lines = [f"## libwebsockets {version}\n", "autobahntestsuite 25.10.1.\n", *totals(results)]
    lines += ["", "| cases | about | client | server |", "|---|---|---|---|"]
    for group, about in GROUPS.items():
        cells = [cell(group, suite) for suite in (clients, servers)]
        lines.append(f"| {group}.\\* | {about} | {cells[0]} | {cells[1]} |")
    is_fine = True
    for kind, suite in (("client", clients), ("server", servers)):
        odd = [case for case in ordered(suite) if verdict(suite[case]) != "OK"]
        if not odd:
            continue
        lines += ["", f"What is not OK of the {kind}:", "", "| cases | verdict | why |", "|---|---|---|"]
        rows = {}
        for case in odd:
            words = verdict(suite[case])
            reason = reason_of(case, reasons[kind], reasons["words"])
            if set(words.split(", ")) <= FINE:
                reason = reason or "the RFC leaves it open, and the suite only tells what happened"
            is_failure = any(suite[case][key] not in FINE | {"NON-STRICT"} for key in ("behavior", "behaviorClose"))
            is_fine = is_fine and not is_failure and bool(reason)
            rows.setdefault((words, reason or "no reason known"), []).append(case)
        lines += [f"| {', '.join(cases)} | {words} | {reason} |" for (words, reason), cases in rows.items()]
    return "\n".join(lines) + "\n", is_fine


def reason_of(case, known, words):
    """Of the case, or of the group that it is in."""
    while case:
        if case in known:
            return words[known[case]]
        case = case.rpartition(".")[0]
    return None


def totals(results):
    for kind, suite in results.items():
        counts = {}
        for case in suite.values():
            counts[verdict(case)] = counts.get(verdict(case), 0) + 1
        words = ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
        yield f"- {kind[:-1]}: {len(suite)} cases: {words}"


def verdict(case):
    """Of the case itself, and of the way the connection was closed where that differs."""
    behavior, close = case["behavior"], case["behaviorClose"]
    if behavior == close or close in FINE:
        return behavior
    return f"{behavior}, closing {close}"


def cell(group, suite):
    cases = [case for case in suite if case.split(".")[0] == group]
    good = sum(verdict(suite[case]) == "OK" for case in cases)
    return f"{good} of {len(cases)} OK" if cases else ""


def ordered(suite):
    return sorted(suite, key=lambda case: [int(part) for part in case.split(".")])


def library_version():
    version = subprocess.run(["pkg-config", "--modversion", "libwebsockets"], capture_output=True, text=True).stdout
    # Distributions and builds from source have words of their own behind it.
    return version.strip().partition("-")[0]
