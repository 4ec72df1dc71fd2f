#!/usr/bin/env bash
# What `make test` has a share of, by the hundred: processes killed in every phase of keeping a history, panels killed and stopped, power
# losses staged with files; on SQLite and on PostgreSQL. About KILLS seconds per database. Ends with what was acknowledged and what was found.
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${KILLS:-300}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

say() { printf '\n== %s\n' "$*" >&2; }

# Runs one test, shows how far it is, and keeps its last words. It has failed where it says nothing.
soak() { # a title, a command
    local title=$1
    shift
    say "$title"
    if "$@" -- --nocapture 2> >(grep --line-buffered -E 'killed|panicked|assertion|error' >&2) | tee /dev/stderr |
        grep -E 'kills|acknowledged|recorded|losses|stored' | sed "s/^\.*//; s/^/$title: /" >>"$log"; then
        return
    fi
    echo "$title: FAILED" >>"$log"
    status=1
}

export TICKMARK_SOAK_KILLS=$kills TICKMARK_SOAK_MIGRATIONS=$((kills / 5)) TICKMARK_SOAK_PANELS=$((kills / 3)) TICKMARK_SOAK_LOSSES=$((kills * 2))
run=(cargo test --quiet --locked -p server)
say "Building the panel and its tests …"
"${run[@]}" --lib --test soak --test process --no-run
for on in "SQLite" "PostgreSQL"; do
    beside=()
    if [ "$on" = PostgreSQL ]; then beside=(.ci/postgres.sh); fi
    soak "$on, a history killed in every phase" "${beside[@]}" "${run[@]}" --test soak a_history_survives
    soak "$on, migrations killed" "${beside[@]}" "${run[@]}" --test soak an_older_schema
done
soak "SQLite, panels killed under polls" "${run[@]}" --test process killed::what_was_said
soak "SQLite, power losses" "${run[@]}" --lib store::tests::power
soak "PostgreSQL, one of three panels killed, one stopped" "${run[@]}" --test process panels::a_panel_that_is_killed
soak "PostgreSQL, panels killed while its server is away" "${run[@]}" --test process spooled::

echo
echo "What was acknowledged, and what was found (hazards staged with seed and number as told above):"
cat "$log"
exit "$status"
