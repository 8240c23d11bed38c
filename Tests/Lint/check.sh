#!/usr/bin/env bash
# The house rules that swift format does not know. Prints each breach with its place; fails where there is one.
set -euo pipefail
cd "$(dirname "$0")/../.."
breaches=0

breach() {
    echo "$1" >&2
    breaches=$((breaches + 1))
}

import='^[[:space:]]*(@[A-Za-z_()]+[[:space:]]+)*([a-z]+[[:space:]]+)?import[[:space:]]+([a-z]+[[:space:]]+)?CLibWebSockets'
while IFS= read -r place; do
    breach "$place: only Sources/LWSWebSocket/Session may import CLibWebSockets"
done < <(grep -rnE --include='*.swift' "$import" Sources/LWSWebSocket | grep -v '^Sources/LWSWebSocket/Session/' | cut -d: -f1,2)

import='^[[:space:]]*(@[A-Za-z_()]+[[:space:]]+)*([a-z]+[[:space:]]+)?import[[:space:]]+([a-z]+[[:space:]]+)?COpenSSL'
while IFS= read -r place; do
    breach "$place: only Sources/LWSWebSocket/TLS and OpenSSL may import COpenSSL"
done < <(grep -rnE --include='*.swift' "$import" Sources | grep -vE '^Sources/LWSWebSocket/(TLS|OpenSSL)/' | cut -d: -f1,2)

longest=300
while IFS= read -r -d '' file; do
    lines=$(wc -l < "$file")
    if [ "$lines" -gt "$longest" ]; then breach "$file: $lines lines, at most $longest are allowed: one concept a file"; fi
    while IFS= read -r line; do
        breach "$file:$line: @unchecked Sendable without a comment \"Safe to share: ...\" within three lines"
    done < <(awk '
        { text[NR] = $0 }
        END {
            for (i = 1; i <= NR; i++) {
                if (text[i] !~ /@unchecked +Sendable/ || text[i] ~ /^ *\/\//) continue
                found = 0
                for (j = i - 3; j <= i + 3; j++) if (text[j] ~ /\/\/.*Safe to share:/) found = 1
                if (!found) print i
            }
        }' "$file")
done < <(find Sources Tests Benchmarks/Sources Examples/*/Sources Examples/*/Tests -name '*.swift' -print0)

# Tests must not judge by how fast the machine is: see "Times in tests" in CONTRIBUTING.md.
short='\.(milliseconds|microseconds|nanoseconds)\(|\.seconds\(1?[0-9](\.[0-9]+)?\)'
while IFS= read -r place; do
    breach "$place: an upper bound of less than 20 s on a time; compare with Punctuality, or with Timing.atOnce"
done < <(
    grep -rnE --include='*.swift' "<=? *(Duration)?($short)" Tests | grep -vE '\) \+ Timing\.atOnce' | cut -d: -f1,2
    grep -rnE --include='*.swift' "(eventually|becomes|value|isBack|run|waitForLine|waitForExit)\(within: *($short)" Tests |
        cut -d: -f1,2
    grep -rnE --include='*.swift' "\.isAbout\(|Timing\.best" Tests | cut -d: -f1,2
)

Tests/Lint/rooms.py || breaches=$((breaches + 1))
Tests/Lint/manifests.py || breaches=$((breaches + 1))

[ "$breaches" -eq 0 ]
