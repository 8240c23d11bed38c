#!/usr/bin/env python3
"""Fails where a public symbol has no documentation comment: coverage.py FOLDER MODULE...

Reads the symbol graphs that the compiler has written into the folder. Symbols that the compiler makes itself, such as the
`==` of an enum, are left out.
"""

import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parents[2]


def place(symbol):
    location = symbol.get("location")
    if not location:
        return None
    path = Path(unquote(urlparse(location["uri"]).path))
    return f"{path.relative_to(ROOT) if ROOT in path.parents else path}:{location['position']['line'] + 1}"


def main():
    folder, modules = Path(sys.argv[1]), sys.argv[2:]
    bare, count = [], 0
    for module in modules:
        files = [folder / f"{module}.symbols.json", *sorted(folder.glob(f"{module}@*.symbols.json"))]
        for file in files:
            for symbol in json.loads(file.read_text())["symbols"]:
                if symbol["accessLevel"] not in ("public", "open"):
                    continue
                if "::SYNTHESIZED::" in symbol["identifier"]["precise"] or not place(symbol):
                    continue
                count += 1
                lines = symbol.get("docComment", {}).get("lines", [])
                if not any(line["text"].strip() for line in lines):
                    bare.append(f"{place(symbol)}: {module}: {'.'.join(symbol['pathComponents'])} is not documented")
    for line in sorted(bare):
        print(line, file=sys.stderr)
    print(f"{count - len(bare)} of {count} public symbols are documented")
    sys.exit(1 if bare or not count else 0)


main()
