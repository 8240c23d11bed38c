"""The results as JSON."""

import json
import os
import platform


def entry(found):
    made = {"row": found.row.name, "peer": found.peer}
    if found.failure:
        return {**made, "failure": found.failure}
    if found.row.counts_calls:
        return {**made, "allocations": round(found.allocations, 3), "locks": round(found.locks, 3)}
    made["seconds"] = float(f"{found.seconds:.4g}")
    made["rounds"] = [float(f"{time:.4g}") for time in found.values(found.time)]
    made["processor"] = {name: float(f"{time:.4g}") for name, time in found.processor.items() if time > 0}
    if found.server is not None:
        made["server_busy"] = round(found.server, 3)
    if found.row.workload == "beside":
        made["percentile_99"], made["longest"] = (float(f"{time:.4g}") for time in (found.percentile_99, found.longest))
    if found.row.workload == "idle":
        made["memory"], made["threads"] = round(found.memory), found.threads_open
        made["seconds_open"] = float(f"{found.seconds_open:.4g}")
        if found.seconds_next:
            made["seconds_next"] = float(f"{found.seconds_next:.4g}")
    return made


def ratios(entries):
    """Adds the ratio of swift-lws' time to the peer's."""
    own = {}
    for made in entries:
        if made["peer"].startswith("swift-lws") and "seconds" in made:
            own.setdefault(made["row"], made["seconds"])
    for made in entries:
        if made["row"] in own and "seconds" in made:
            made["ratio"] = round(own[made["row"]] / made["seconds"], 3)
    return entries


def processor_name():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")


def write(path, settings, rows, checked):
    """`rows` and `checked`, those with the second server, are lists of measurements by peer."""
    found = {
        "settings": {**settings, "processor": processor_name(), "cores": os.cpu_count(), "kernel": platform.release()},
        "results": ratios([entry(one) for row in rows for one in row.values()]),
        "second_server": ratios([entry(one) for row in checked for one in row.values()]),
    }
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        # One line for each entry, so that a difference can be read.
        file.write('{\n"settings": ' + json.dumps(found["settings"]))
        for part in ("results", "second_server"):
            lines = ",\n".join(json.dumps(made) for made in found[part])
            file.write(f',\n"{part}": [\n{lines}\n]')
        file.write("\n}\n")
