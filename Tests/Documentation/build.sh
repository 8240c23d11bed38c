#!/usr/bin/env bash
# Builds the documentation of both libraries into .build-docs/site, a static web site. Fails where docc has something to warn
# of, and where a public symbol has no documentation comment. Needs docc, which comes with the toolchain, and no plugin.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=.build-docs
graphs=$PWD/$scratch/symbol-graphs

docc=$(xcrun --find docc 2> /dev/null || command -v docc || echo "$(dirname "$(readlink -f "$(command -v swift)")")/docc")
[ -x "$docc" ] || { echo "there is no docc beside swift" >&2; exit 1; }

# From what is built for the tests, comments and places in the source with it.
target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["unversionedTriple"])')
modules=$(swift build --show-bin-path)/Modules
# Where the C libraries' headers are, for their modules.
read -r -a headers <<< "$(pkg-config --cflags libwebsockets openssl | sed -E 's/(^| )(-[^ ]+)/\1-Xcc \2/g')"
rm -rf "$graphs"
mkdir -p "$graphs"
for module in LWSEchoServer LWSWebSocket; do
    swift build --target "$module"
    swift symbolgraph-extract -module-name "$module" -target "$target" -I "$modules" -I Modules/CLibWebSockets \
        -I Modules/COpenSSL -I Modules/CZlib ${headers[@]+"${headers[@]}"} \
        -output-dir "$graphs" -minimum-access-level public -skip-synthesized-members
done
Tests/Documentation/coverage.py "$graphs" LWSWebSocket LWSEchoServer

archives=()
for module in LWSWebSocket LWSEchoServer; do
    rm -rf "$scratch/graphs-of-one" "$scratch/$module.doccarchive"
    mkdir "$scratch/graphs-of-one"
    cp "$graphs/$module".symbols.json "$graphs/$module"@*.symbols.json "$scratch/graphs-of-one" 2> /dev/null ||
        [ -f "$scratch/graphs-of-one/$module.symbols.json" ]
    "$docc" convert "Sources/$module/Documentation.docc" --additional-symbol-graph-dir "$scratch/graphs-of-one" \
        --output-dir "$scratch/$module.doccarchive" --fallback-display-name "$module" \
        --fallback-bundle-identifier "swift-lws.$module" --warnings-as-errors
    archives+=("$scratch/$module.doccarchive")
done
rm -rf "$scratch/site"
"$docc" merge "${archives[@]}" --synthesized-landing-page-name swift-lws --output-path "$scratch/site"
echo "$scratch/site has the documentation; to read it: python3 -m http.server --directory $scratch/site"
