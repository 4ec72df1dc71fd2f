#!/usr/bin/env bash
# The edit loop: builds and starts the panel, and does so again whenever something changes that it is made of, until Ctrl-C. A build that
# fails leaves the panel as it was. Open pages load anew by themselves.
#
#     dev.sh [FLAG OF tickmark…]
set -euo pipefail
cd "$(dirname "$0")/.."
# Several times as quick to build, and several times as large.
export TICKMARK_CLIENT_PROFILE=quick
binary=${CARGO_TARGET_DIR:-target}/debug/tickmark
panel=

stop() {
    if [ -n "$panel" ]; then
        kill "$panel" 2>/dev/null || true
        wait "$panel" || true
    fi
}
trap stop EXIT
trap 'exit 0' INT TERM

# Names and times of all files that count; looking at some hundreds takes a few milliseconds. Editors' files come and go meanwhile.
state() {
    local parts=(Cargo.toml Cargo.lock app server/Cargo.toml server/build.rs server/src style migrations)
    { find "${parts[@]}" -type f -printf '%p %T@\n' 2>/dev/null || true; } | sort
}

while true; do
    built=$(state)
    if cargo build --locked --bin tickmark; then
        stop
        "$binary" "$@" &
        panel=$!
    fi
    while [ "$(state)" = "$built" ]; do sleep 0.3; done
done
