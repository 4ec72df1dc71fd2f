#!/usr/bin/env bash
# Everything but the tests that must hold before a commit. One line a step; a step that fails shows why.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly wasm=wasm32-unknown-unknown

failed=()
step() { # what it looks at, then the command
    local what=$1 output
    shift
    printf '%s … ' "$what"
    if output=$("$@" 2>&1 </dev/null); then
        echo ok
    else
        printf 'failed\n%s\n' "$output"
        failed+=("$what")
    fi
}

step "format" cargo fmt --all --check
step "lints of the server" cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
if [ -d "$(rustc --print sysroot)/lib/rustlib/$wasm/lib" ]; then
    step "lints of the client" cargo clippy --quiet --locked -p app --lib --no-default-features --features hydrate \
        --target "$wasm" --target-dir "${CARGO_TARGET_DIR:-target}/client" -- -D warnings
else
    echo "lints of the client … left out: they need \`rustup target add $wasm\`"
fi
step "documentation" env RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --quiet --locked --workspace --no-deps --document-private-items
step "licences, sources, bans" cargo deny --log-level error check bans licenses sources
step "unused dependencies" cargo machete
step "scripts" shellcheck .ci/run .ci/*.sh server/packaging/*.sh server/packaging/debian/p* server/tests/kamailio/run

if [ ${#failed[@]} -gt 0 ]; then
    printf 'Failed: %s\n' "$(IFS=,; echo "${failed[*]}")" >&2
    exit 1
fi
