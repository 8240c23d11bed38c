#!/usr/bin/env bash
# Builds the examples, runs each to its end, and compares what it prints with what its README says. Names as arguments: only
# those.
set -euo pipefail
cd "$(dirname "$0")"
names=("$@")
if [ ${#names[@]} -eq 0 ]; then for folder in */Package.swift; do names+=("${folder%/*}"); done; fi
output=$(mktemp)
trap 'rm -f "$output" "$output.expected"' EXIT

fail() {
    echo "Examples/$1: $2" >&2
    exit 1
}

# An end for what hangs, where the system has the command.
bounded() { if command -v timeout > /dev/null; then timeout 300 "$@"; else "$@"; fi; }

for name in "${names[@]}"; do
    [ -f "$name/Package.swift" ] || fail "$name" "there is no such example"
    echo "== $name"
    swift build --package-path "$name" --build-tests 2>&1 | tee "$output" | grep -vE '^\[[0-9]+/' | tail -n 20
    ! grep -E "Examples/.*warning: " "$output" || fail "$name" "it has warnings"
    programs=$(swift build --package-path "$name" --show-bin-path)
    runs=0
    # The lines "`swift run PROGRAM …` prints:", each before a block of text.
    while IFS= read -r line; do
        command=$(sed -E 's/^`(.*)` prints:$/\1/' <<< "$line")
        echo "$command"
        awk -v line="$line" '
            $0 == line { found = 1 }
            found && /^```$/ { exit }
            copies { print }
            found && /^```text$/ { copies = 1 }' "$name/README.md" > "$output.expected"
        (cd "$name" && bounded bash -c "${command/#swift run /$programs/}") > "$output" 2>&1 < /dev/null ||
            { cat "$output"; fail "$name" "$command failed"; }
        diff "$output.expected" "$output" || fail "$name" "$command prints something else (>) than its README says (<)"
        runs=$((runs + 1))
    done < <(grep -E '^`swift run .*` prints:$' "$name/README.md" || true)
    if [ -d "$name/Tests" ]; then
        bounded swift test --package-path "$name" --skip-build --disable-xctest 2>&1 | tail -n 3
        runs=$((runs + 1))
    fi
    [ "$runs" -gt 0 ] || fail "$name" "its README names nothing to run, and there are no tests"
done
