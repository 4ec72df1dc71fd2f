#!/usr/bin/env bash
# Runs the fuzz targets, each for SECONDS_EACH (60), from the corpora in fuzz/corpus. What is found goes to fuzz/found (inputs that reach
# something new) and fuzz/artifacts (inputs that fail). TARGETS names some of them. Any toolchain serves. SANITIZER=address wants a nightly
# one (TOOLCHAIN=nightly), and a long build: what it sees besides, code without `unsafe` does not do.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${TOOLCHAIN:-}" ]; then export RUSTUP_TOOLCHAIN=$TOOLCHAIN; fi
if ! command -v cargo-fuzz >/dev/null; then cargo install --quiet --locked cargo-fuzz@0.13.2; fi

cd fuzz
read -r -a targets <<<"${TARGETS:-address json2 json_rpc metrics text2 xml_rpc}"
for target in "${targets[@]}"; do
    mkdir -p "found/$target"
    # The client is not what is hurt: its quick build is enough.
    TICKMARK_CLIENT_PROFILE=quick cargo fuzz run --sanitizer "${SANITIZER:-none}" "$target" "found/$target" "corpus/$target" -- \
        -max_total_time="${SECONDS_EACH:-60}" -timeout=10 -max_len=4096
done
