#!/usr/bin/env bash
# The release as files to hand on, in target/package.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
server/packaging/package.sh "$target/release/tickmark" "$target/package"
echo "In $target/package:"
cd "$target/package"
du -h --apparent-size tickmark ./*.deb 2>/dev/null || du -h tickmark
