#!/usr/bin/env bash
# The panel beside a Kamailio under traffic, ten statistics ticked, until Ctrl-C. Everything it writes is in demo/, which git ignores.
#
#     demo.sh PATH_OF_TICKMARK
set -euo pipefail
cd "$(dirname "$0")/.."
readonly tickmark=$1 sip_port=5070 rpc_port=5071 uas_port=5072
readonly listen=${TICKMARK_LISTEN:-127.0.0.1:8888} password=tickmark-demo

started=()
end() {
    trap - EXIT INT TERM
    if [ ${#started[@]} -gt 0 ]; then
        kill "${started[@]}" 2>/dev/null || true
        wait "${started[@]}" 2>/dev/null || true
    fi
}
trap end EXIT
trap 'exit 0' INT TERM

mkdir -p demo
cat >demo/tickmark.toml <<TOML
interval = "2s"

[[box]]
name = "kamailio"
kind = "kamailio"
address = "http://127.0.0.1:$rpc_port/RPC"
ticks = [
    "core:rcv_requests",
    "core:rcv_replies",
    "core:fwd_requests",
    "dialog:active_dialogs",
    "dialog:processed_dialogs",
    "registrar:accepted_regs",
    "shmem:used_size",
    "sl:200_replies",
    "tmx:inuse_transactions",
    "usrloc:location_users",
]
TOML

coproc KAMAILIO { exec server/tests/kamailio/run $sip_port $rpc_port $uas_port; }
started+=("$KAMAILIO_PID")
if ! read -r -u "${KAMAILIO[0]}" ready || [ "$ready" != ready ]; then
    echo "The Kamailio of the demonstration did not start: are the ports $sip_port, $rpc_port or $uas_port taken?" >&2
    exit 1
fi

# The password is set at the first start; later ones keep the database, and the history in it.
TICKMARK_ADMIN_PASSWORD=$password "$tickmark" --listen "$listen" --database sqlite:demo/tickmark.db --config demo/tickmark.toml &
started+=($!)
cat <<TEXT
A Kamailio with some calls a second runs at 127.0.0.1:$sip_port, ten of its statistics are ticked.
    http://$listen/cp/charts?box=kamailio    user admin    password $password
Ctrl-C ends it all; \`rm -r demo\` removes what it recorded.
TEXT
wait "${started[-1]}"
