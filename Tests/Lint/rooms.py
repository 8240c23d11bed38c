#!/usr/bin/env python3
"""The folders of Sources: what each one holds, who may use it, and what it may use.

One file of each folder begins with that, and with a file of one's own one finds the way by it:

    // TLS/: how a connection is secured.
    //
    // Holds: the settings, ...
    // Used by: Connection, Session.
    // Uses: Errors, Files; COpenSSL.

Folders next to each other in one target are its rooms. A room may use those rooms, and import those modules (those of the
system apart), that it says, and two rooms never use each other, not even by way of others. A folder in a room is a part of it,
and says only what it holds. Use is to name a type, function or variable that is declared at the top level of a file; the members
that extensions add to a type are not looked at.

Checks all that, and that the tables in CONTRIBUTING.md say the same. With --write puts the tables and the lines "Used by" right.
"""

import re
import sys
import textwrap
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "CONTRIBUTING.md"
# Targets whose folders are rooms. The other targets' folders are parts of one.
TARGETS = ["LWSWebSocket", "LWSServiceLoop", "LWSCatKit"]
SYSTEM = {"Darwin", "Foundation", "FoundationEssentials", "Glibc", "Synchronization"}
OUTSIDE = "applications"

TITLE = re.compile(r"// (?P<folder>[\w-]+)/: (?P<title>.+)$")
FACT = re.compile(r"// (?P<name>Holds|Used by|Uses): (?P<text>.*)$")
IMPORT = re.compile(r"^[ \t]*(?:@\w+(?:\([^)]*\))? )*(?:\w+ )?import (?:(?:struct|enum|class|protocol|func) )?(\w+)", re.M)
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?P<words>(?:[a-z]+(?:\([a-z]+\))?\s+)*)"
    r"(?:class|struct|enum|protocol|actor|typealias|func|let|var)\s+(?P<name>\w+)", re.M)
NAME = re.compile(r"(?<![.\w])[A-Za-z_]\w*")

failures = []
write = sys.argv[1:] == ["--write"]


def fail(path, text):
    failures.append(f"{path.relative_to(ROOT)}: {text}")


def code(path):
    """A file without its comments and the literal parts of its strings."""
    text = re.sub(r'"""(?:\\.|.)*?"""', '""', path.read_text(), flags=re.S)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    lines = (re.sub(r"(?<![:\"])//.*", "", line) for line in text.splitlines())
    return "\n".join(lines)


class Folder:
    """A folder with its files, and what its first comment says."""

    def __init__(self, path, files):
        self.path = path
        self.name = path.name
        self.title, self.facts, self.guide = None, {}, None
        for file in files:
            if match := TITLE.match(file.read_text().split("\n", 1)[0]):
                if self.guide:
                    fail(file, f"{self.guide.name} says already what {self.name}/ holds")
                self.guide = file
                self.read(match)
        if not self.guide:
            fail(path, f'no file begins with "// {self.name}/: ..."')

    def read(self, match):
        if match["folder"] != self.name:
            fail(self.guide, f"it begins with {match['folder']}/, and stands in {self.name}/")
        self.title = match["title"].rstrip(".")
        name = None
        for line in self.guide.read_text().splitlines()[1:]:
            if fact := FACT.match(line):
                name = fact["name"]
                self.facts[name] = fact["text"]
            elif name and line.startswith("// "):
                self.facts[name] += line[2:]
            elif line != "//":
                break

    def require(self, names):
        for name in names:
            if self.guide and not self.facts.get(name):
                fail(self.guide, f"the first comment does not say \"{name}: ...\"")

    def list(self, fact):
        words = {word.strip() for word in re.split("[,;]", self.facts.get(fact, "").rstrip("."))}
        return words - {"", "nothing"}


class Room(Folder):
    """A folder of a target with all below it: what its files declare, name and import."""

    def __init__(self, path):
        self.files = sorted(path.rglob("*.swift"))
        super().__init__(path, [file for file in self.files if file.parent == path])
        self.declared, self.named, self.imported = set(), {}, set()
        for file in self.files:
            text = code(file)
            self.imported |= set(IMPORT.findall(text)) - SYSTEM
            for match in DECLARATION.finditer(text):
                if "private" not in match["words"]:
                    self.declared.add(match["name"])
            for name in NAME.findall(text):
                self.named.setdefault(name, file)
        self.require(["Holds", "Used by", "Uses"])


def check(target):
    """Checks the rooms of a target. Returns its table."""
    rooms = {path.name: Room(path) for path in sorted((ROOT / "Sources" / target).iterdir())
             if path.is_dir() and path.suffix != ".docc"}
    for file in sorted((ROOT / "Sources" / target).glob("*.swift")):
        fail(file, "it stands in no room")
    owners = {}
    for room in rooms.values():
        for name in room.declared:
            owners.setdefault(name, []).append(room)
    uses = {}
    for room in rooms.values():
        found = {}
        for name, file in room.named.items():
            if len(owner := owners.get(name, [])) == 1 and owner[0] is not room:
                found.setdefault(owner[0].name, (name, file))
        said = room.list("Uses")
        for other in sorted(set(found) - said):
            name, file = found[other]
            fail(file, f"{name} is of {other}/, which {room.name}/ does not use")
        for module in sorted(room.imported - said):
            fail(room.path, f"{module} is imported, which {room.name}/ does not use")
        for other in sorted(said - set(found) - room.imported):
            fail(room.guide, f'it says that {room.name}/ uses {other}, and nothing of it does')
        uses[room.name] = set(found)
    try:
        order = list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        fail(ROOT / "Sources" / target, f"rooms that use each other: {' <- '.join(error.args[1])}")
        return ""
    for room in rooms.values():
        users = [name for name in reversed(order) if room.name in uses[name]] or [OUTSIDE]
        if write and room.guide:
            put_users(room, users)
        elif room.guide and room.list("Used by") != set(users):
            fail(room.guide, f"{room.name}/ is used by {', '.join(users)}")
    lines = ["| folder | what is in it | may use |", "|---|---|---|"]
    for name in reversed(order):
        room = rooms[name]
        # In the order of the table, the modules behind them.
        said = room.list("Uses")
        used = [f"`{other}`" for other in reversed(order) if other in said]
        used += [f"`{module}`" for module in sorted(said - set(order))]
        lines.append(f"| `{name}/` | {room.title} | {', '.join(used)} |")
    return "\n".join(lines)


def put_users(room, users):
    text = room.guide.read_text()
    line = textwrap.fill(f"Used by: {', '.join(users)}.", 128, initial_indent="// ", subsequent_indent="// ",
                         break_long_words=False, break_on_hyphens=False)
    room.guide.write_text(re.sub(r"// Used by: (?:.|\n)*?(?=\n// Uses: )", lambda _: line, text, count=1))


def put_table(target, table):
    text = GUIDE.read_text()
    place = re.compile(rf"(<!-- rooms of {target} -->\n).*?(<!-- end -->)", re.S)
    if not place.search(text):
        return fail(GUIDE, f"it has no table of {target}")
    changed = place.sub(lambda match: f"{match[1]}{table}\n{match[2]}", text)
    if changed != text:
        GUIDE.write_text(changed) if write else fail(GUIDE, f"the table of {target} says something else; Tests/Lint/rooms.py --write")


for target in TARGETS:
    put_table(target, check(target))
for path in sorted((ROOT / "Sources").rglob("*")):
    target, *below = path.relative_to(ROOT / "Sources").parts
    files = sorted(path.glob("*.swift")) if path.is_dir() else []
    is_room = target in TARGETS and len(below) == 1
    if (len(files) > 1 or below) and files and not is_room:
        Folder(path, files).require(["Holds"])

for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(1 if failures else 0)
