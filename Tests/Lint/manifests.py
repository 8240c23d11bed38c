#!/usr/bin/env python3
"""Package@swift-6.0.swift, which Swift 6.0 and 6.1 read, says what Package.swift says of the same products and targets.

Apart from traits, what only those need, and the way to make warnings errors. And what a trait needs comes with traits alone,
none of which is on by itself: SwiftPM gets such a dependency only where somebody asks for the trait.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def described(name):
    """A manifest as SwiftPM reads it, whatever compiler this is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Package.swift").write_text((ROOT / name).read_text())
        plain = {name: value for name, value in os.environ.items() if name != "LWS_WARNINGS_ARE_ERRORS"}
        text = subprocess.run(["swift", "package", "--package-path", folder, "dump-package"], check=True, env=plain,
                              stdout=subprocess.PIPE, text=True).stdout
    return json.loads(text)


def trait(dependency):
    condition = next(iter(dependency.values()))[-1]
    return isinstance(condition, dict) and condition.get("traits")


def facts(package, names):
    """What has to be the same, by what it is of."""
    targets = {target["name"]: target for target in package["targets"] if target["name"] in names}
    result = {"platforms": package["platforms"], "products": package["products"]}
    used = set()
    for name, target in targets.items():
        target = dict(target, dependencies=[one for one in target["dependencies"] if not trait(one)])
        used.update(one["product"][1] for one in target["dependencies"] if "product" in one)
        result[name] = target
    for dependency in package["dependencies"]:
        source = dict(dependency["sourceControl"][0])
        source.pop("traits", None)
        if source["identity"] in used:
            result[source["identity"]] = source
    return result


def comesUnasked(package):
    """The packages that a trait needs, and others get as well."""
    uses = [(one["product"][1], bool(trait(one))) for target in package["targets"]
            for one in target["dependencies"] if "product" in one]
    ofTraits = {name for name, isOfTrait in uses if isOfTrait}
    return sorted({name for name, isOfTrait in uses if name in ofTraits and not isOfTrait})


def main():
    new, old = described("Package.swift"), described("Package@swift-6.0.swift")
    unasked = comesUnasked(new) + [one["name"] for one in new["traits"] if one["name"] == "default"]
    for name in unasked:
        print(f"Package.swift: {name} comes to those who have not asked for a trait", file=sys.stderr)
    names = {target["name"] for target in old["targets"]}
    wanted, found = facts(new, names), facts(old, names)
    unused = [one["sourceControl"][0]["identity"] for one in old["dependencies"]
              if one["sourceControl"][0]["identity"] not in found]
    differences = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)) + unused
    for key in differences:
        print(f"Package@swift-6.0.swift: {key} is not as Package.swift has it", file=sys.stderr)
    return bool(differences + unasked)


sys.exit(main())
