#!/usr/bin/env bash
# The figures that Tickmark promises, measured here, as one table. Takes some minutes; words choose parts.
#
#     bench.sh [chart] [poll] [page] [memory] [engine] [scale] [alerts]
set -euo pipefail
cd "$(dirname "$0")/.."
echo "Building what is measured, as it is released: some minutes the first time …" >&2
# Quiet, but for what goes wrong: progress comes from the measuring itself.
parts=() engine='' scale='' alerts=''
for part in "$@"; do
    case $part in
        engine) engine=yes ;;
        scale) scale=yes ;;
        alerts) alerts=yes ;;
        *) parts+=("$part") ;;
    esac
done
if [ ${#parts[@]} -gt 0 ] || [ $# = 0 ]; then cargo bench --quiet --locked -p server --bench figures -- "${parts[@]}"; fi
if [ -n "$engine" ] || [ $# = 0 ]; then cargo bench --quiet --locked -p server --bench engine; fi
if [ -n "$scale" ] || [ $# = 0 ]; then cargo bench --quiet --locked -p server --bench scale; fi
if [ -n "$alerts" ] || [ $# = 0 ]; then cargo bench --quiet --locked -p server --bench alerts; fi
