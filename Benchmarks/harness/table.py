"""The table, as text."""


def seconds(value):
    """Three digits and a unit."""
    for unit, name in ((1, "s "), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if value >= unit or name == "ns":
            number = value / unit
            return f"{number:.0f} {name}" if number >= 100 else f"{number:.3g} {name}"


def size(value):
    return f"{value / 1024:.1f} KiB" if abs(value) < 1 << 20 else f"{value / (1 << 20):.1f} MiB"


HEADING = f"""\
Times are of one message (round trips: there and back; connect: until the connection is open), medians over the rounds.
ratio: the time of swift-lws divided by the peer's; below 1 swift-lws is faster. server: which part of the time the server
was busy; near 100% it is the server that was measured. processor: time of one message by thread.

{'row':23} {'peer':20} {'median':>8} {'ratio':>6}  {'least .. most':21} {'server':>6}  processor"""


def lines(measurements):
    """The lines of one row."""
    good = [found for found in measurements.values() if found.results]
    own = next((found for found in good if found.peer.startswith("swift-lws")), None)
    name = next(iter(measurements.values())).row.name
    for found in measurements.values():
        if found.failure:
            yield f"{name:23} {found.peer:20} FAILED: {found.failure}"
        if found.results:
            yield f"{name:23} {found.peer:20} " + describe(found, own)
        name = ""


def describe(found, own):
    if found.row.counts_calls:
        return f"{found.allocations:8.2f} allocations of one message, {found.locks:.2f} locks"
    low, high = found.spread
    ratio = f"{own.seconds / found.seconds:6.2f}" if own and own is not found else " " * 6
    busy = "" if found.server is None else f"{found.server:.0%}"
    text = f"{seconds(found.seconds):>8} {ratio}  {seconds(low):>8} .. {seconds(high):9} {busy:>6}  "
    text += ", ".join(f"{name} {seconds(time)}" for name, time in found.processor.items()
                      if time > 0 and not name.startswith("-"))
    if found.row.workload == "beside":
        text += f"; 99 of 100 within {seconds(found.percentile_99)}, the longest {seconds(found.longest)}"
    if found.row.workload == "idle":
        of = "each" if found.results[0]["clients"] > 1 else "in all"
        text += f"; memory {size(found.memory)} {of}, threads {found.threads_open}, open after {seconds(found.seconds_open)}"
        if found.seconds_next:
            text += f", the next after {seconds(found.seconds_next)}"
    return text
