#!/usr/bin/env python3
"""The Swift in the documents is the code of the tests and the examples: checks that, or copies it (--write).

A sample is a region of a Swift file that is compiled and run, in Tests/DocumentationTests, Tests/ProcessProbe or Examples:

    // sample: NAME
    // where CODE is shown as TEXT
    ...
    // sample end

The second line, of which there may be several or none, is for what a reader would write and a test cannot, such as a
fixed port. Regions of one name in one file are parts of one sample, with an empty line between them. Comments at the ends
of lines are shown below each other.

In Markdown a block of Swift follows `<!-- sample: NAME -->`, or `<!-- not run: REASON -->` where it is no code that a test
could run. A block in a documentation comment of Sources has no such line: it has to be equal to some sample.
"""

import difflib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SWIFT = [path for place in ("Tests/DocumentationTests", "Tests/ProcessProbe", "Examples/*/Sources", "Examples/*/Tests")
         for path in ROOT.glob(f"{place}/**/*.swift")]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted(ROOT.glob("Sources/*/Documentation.docc/**/*.md")),
    *sorted(ROOT.glob("Examples/README.md")),
    *sorted(ROOT.glob("Examples/*/README.md")),
]
SOURCES = sorted(ROOT.glob("Sources/LWS*/**/*.swift"))

BEGIN = re.compile(r"\s*// sample: (\S+)$")
WHERE = re.compile(r"\s*// where (.+) is shown as ?(.*)$")
END = re.compile(r"\s*// sample end$")
COMMENTED = re.compile(r"(.*\S)  // (.*)$")
FENCE = re.compile(r"(?P<indent>\s*)```swift$")
NAMED = re.compile(r"\s*<!-- sample: (\S+) -->$")
NOT_RUN = re.compile(r"\s*<!-- not run: .+ -->$")

failures = []


def fail(path, line, text):
    failures.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def dedent(lines):
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[depth:].rstrip() for line in lines]


def align(lines):
    """Puts the comments at the ends of lines below each other, which swift format would not have in code."""
    output, run = [], []
    for line in [*lines, ""]:
        if match := COMMENTED.match(line):
            run.append(match.groups())
            continue
        width = max((len(code) for code, _ in run if len(code) <= 52), default=0)
        output += [f"{code:{width}}  // {comment}" for code, comment in run] + [line]
        run = []
    return output[:-1]


def read_samples():
    """Each sample by its name, as lines and the place where it begins."""
    samples, places = {}, {}
    for path in sorted(SWIFT):
        name, part, replacements, here = None, [], [], set()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if begin := BEGIN.match(line):
                if name:
                    fail(path, number, f"the sample {name} has no end")
                name, part, replacements = begin[1], [], []
                if name in samples and name not in here:
                    fail(path, number, f"there is a sample {name} in another file")
                here.add(name)
                places.setdefault(name, (path, number))
            elif name and (where := WHERE.match(line)):
                replacements.append((where[1], where[2]))
            elif END.match(line):
                if not name:
                    fail(path, number, "no sample ends here")
                    continue
                text = "\n".join(dedent(part))
                for code, shown in replacements:
                    if code not in text:
                        fail(path, number, f"the sample {name} does not have {code!r}, which it shows otherwise")
                    text = text.replace(code, shown)
                samples[name] = [*(samples[name] + [""] if name in samples else []), *text.split("\n")]
                name = None
            elif name:
                part.append(line)
        if name:
            fail(path, places[name][1], f"the sample {name} has no end")
    return {name: align(lines) for name, lines in samples.items()}, places


def check_document(path, samples, used, write):
    """Compares each block of Swift with its sample. With `write`, puts the sample in its place."""
    lines, output, index = path.read_text().splitlines(), [], 0
    while index < len(lines):
        fence = FENCE.match(lines[index])
        if not fence:
            output.append(lines[index])
            index += 1
            continue
        end = next((i for i in range(index + 1, len(lines)) if lines[i].strip() == "```"), len(lines) - 1)
        before = next((line for line in reversed(output) if line.strip()), "")
        block = lines[index + 1 : end]
        if named := NAMED.match(before):
            sample = samples.get(named[1])
            used.add(named[1])
            if sample is None:
                fail(path, index + 1, f"there is no sample {named[1]}")
            else:
                shown = [(fence["indent"] + line).rstrip() for line in sample]
                if write:
                    block = shown
                elif block != shown:
                    difference = "\n".join(difflib.unified_diff(block, shown, "document", "sample", lineterm="", n=1))
                    fail(path, index + 1, f"differs from the sample {named[1]}; make samples copies it\n{difference}")
        elif not NOT_RUN.match(before):
            fail(path, index + 1, "this block of Swift follows no line that names its sample")
        output += [lines[index], *block, lines[end]]
        index = end + 1
    if write and output != lines:
        path.write_text("\n".join(output) + "\n")


def check_comments(path, samples, used):
    """Looks for each block of Swift in a documentation comment among the samples."""
    block, start = None, 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        comment = re.match(r"\s*/// ?(.*)$", line)
        text = comment[1] if comment else None
        if block is None:
            if text == "```swift":
                block, start = [], number
        elif text is None or text == "```":
            name = next((name for name, sample in samples.items() if sample == block), None)
            if name:
                used.add(name)
            else:
                fail(path, start, "this block of Swift is equal to no sample")
            block = None
        else:
            block.append(text.rstrip())


def check_numbers():
    """The article on performance has no measurement that is not written down elsewhere."""
    article = ROOT / "Sources/LWSWebSocket/Documentation.docc/Performance.md"
    known = (ROOT / "Benchmarks/README.md").read_text() + (ROOT / "SECURITY.md").read_text()
    for number, line in enumerate(article.read_text().splitlines(), 1):
        for value in re.findall(r"\d+\.\d+(?:\.\d+)?", line):
            if not re.search(rf"(?<![\d.]){re.escape(value)}(?![\d])", known):
                fail(article, number, f"{value} is neither in Benchmarks/README.md nor in SECURITY.md")


def main():
    write = "--write" in sys.argv[1:]
    samples, places = read_samples()
    used = set()
    for path in DOCUMENTS:
        check_document(path, samples, used, write)
    for path in SOURCES:
        check_comments(path, samples, used)
    check_numbers()
    for name in sorted(samples.keys() - used):
        fail(*places[name], f"no document shows the sample {name}")
    for failure in failures:
        print(failure, file=sys.stderr)
    if not failures:
        print(f"{len(samples)} samples, each as it is shown")
    sys.exit(1 if failures else 0)


main()
