#!/usr/bin/env bash
# Runs every test and ends with how many passed and failed, all kinds together.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# The sum of the numbers that stand before a word.
sum() { # a word, a file
    grep -oE "[0-9]+ $1" "$2" | awk '{ total += $1 } END { print total + 0 }'
}

# Tests that this user or this system cannot run write here which they are, and why.
export TICKMARK_TESTS_LEFT_OUT=$log/left_out
: >"$TICKMARK_TESTS_LEFT_OUT"

# Many tests wait for what a box or a database does meanwhile: with one more at a time than there are cores, none idles.
at_once=$(($(nproc) + 1))

status=0
echo "Building the panel and its tests …"
cargo build --quiet --locked --bin tickmark
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace --test-threads "$at_once" --no-fail-fast --cargo-quiet --status-level fail --final-status-level fail 2>&1 | tee "$log/rust" || status=1
    grep -E '^ +Summary ' "$log/rust" >"$log/rust.sums" || true
    echo "On PostgreSQL what touches the database …"
    .ci/postgres.sh cargo nextest run --locked -p server --lib --test panel --test store_kill --test-threads "$at_once" --no-fail-fast --cargo-quiet \
        --status-level fail --final-status-level fail --filterset 'test(/^store::tests::/) + binary(panel) + binary(store_kill)' 2>&1 |
        tee "$log/postgres" || status=1
    # Those that the filter leaves out have run above: none is skipped.
    grep -E '^ +Summary ' "$log/postgres" | sed 's/, [0-9]* skipped//' >"$log/postgres.sums" || true
else
    cargo test --quiet --locked --workspace --no-fail-fast 2>&1 | tee "$log/rust" || status=1
    echo "On PostgreSQL what touches the database …"
    .ci/postgres.sh cargo test --quiet --locked -p server --lib --no-fail-fast store::tests:: 2>&1 | tee -a "$log/rust" || status=1
    .ci/postgres.sh cargo test --quiet --locked -p server --test panel --test store_kill --no-fail-fast 2>&1 | tee -a "$log/rust" || status=1
    grep '^test result:' "$log/rust" >"$log/rust.sums" || true
fi

left_out=$(wc -l <"$TICKMARK_TESTS_LEFT_OUT")
sed 's/^/Left out: /' "$TICKMARK_TESTS_LEFT_OUT"

echo "Chromium against a Kamailio under traffic …"
export TICKMARK_BIN=${TICKMARK_BIN:-$(realpath "${CARGO_TARGET_DIR:-target}")/debug/tickmark}
(cd server/tests/e2e && node --test --test-concurrency="$(nproc)" --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$log/browser") || status=1
# TAP's closing lines read `# pass 12`.
sed -n 's/^# \(pass\|fail\) \([0-9]*\)$/\2 \1ed/p; s/^# skipped \([0-9]*\)$/\1 skipped/p' "$log/browser" >"$log/browser.sums"

echo "The Debian package installed, started and removed …"
server/packaging/test.sh "$TICKMARK_BIN" | tee "$log/package" || status=1
tail -n 1 "$log/package" >"$log/package.sums"

cat "$log"/*.sums >"$log/sums"
passed=$(sum passed "$log/sums") failed=$(sum failed "$log/sums") skipped=$(sum skipped "$log/sums")
# Those that left themselves out count as passed so far.
passed=$((passed - left_out)) skipped=$((skipped + left_out))
# Tests that could not even be built or begun fail too.
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
