#!/usr/bin/env bash
# The release build. The first takes minutes, so it says so; cargo's own lines show how far it is.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x "${CARGO_TARGET_DIR:-target}/release/tickmark" ] || echo "Building Tickmark: some minutes the first time, seconds later …" >&2
cargo build --release --locked --bin tickmark
