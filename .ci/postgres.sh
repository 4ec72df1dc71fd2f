#!/usr/bin/env bash
# Runs a command beside a throw-away PostgreSQL: a cluster in a folder of its own, gone when the command ends. The tests that are told
# of it by TEST_POSTGRES make a database each there; one that has a cluster to itself starts and stops it by TEST_POSTGRES_CTL, and makes
# a standby of it by TEST_POSTGRES_STANDBY, which says on which port that is; it is told what to do like the first, by `standby-ctl`.
#
#     postgres.sh COMMAND…
set -euo pipefail

newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
bin=${POSTGRES_BIN:-$newest}
if ! [ -x "$bin/initdb" ]; then
    echo "PostgreSQL's server is missing: apt-get install postgresql, or set POSTGRES_BIN to the folder of initdb." >&2
    exit 69
fi

# PostgreSQL refuses to run as root.
as=() user=
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
fi

home=$(mktemp -d "${TMPDIR:-/tmp}/tickmark-postgres.XXXXXX")
end() {
    for data in "$home/data" "$home/standby-data"; do
        "${as[@]}" "$bin/pg_ctl" --pgdata="$data" --mode=immediate --silent stop >/dev/null 2>&1 || true
    done
    rm -rf "$home"
}
trap end EXIT
trap 'exit 130' INT TERM
chmod 711 "$home"

# A private issuer, and a certificate of the server for the name localhost.
mkdir "$home/tls"
(
    cd "$home/tls"
    ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    openssl req -x509 "${ec[@]}" -keyout ca.key -out ca.pem -days 2 -subj "/CN=Tickmark tests" \
        -addext "basicConstraints=critical,CA:true" -addext "keyUsage=critical,keyCertSign"
    openssl req "${ec[@]}" -keyout server.key -out server.csr -subj "/CN=localhost"
    printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' >server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile server.ext
) >/dev/null 2>&1
chmod 600 "$home/tls/server.key"

if [ -n "$user" ]; then chown -R "$user:" "$home"; fi
"${as[@]}" "$bin/initdb" --pgdata="$home/data" --username=tickmark --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
cat >"$home/data/pg_hba.conf" <<'HBA'
local   all all            trust
local   replication all    trust
hostssl all all 127.0.0.1/32 scram-sha-256
HBA
# Nothing has to survive a power loss; what a killed process must not lose is not lost without fsync either.
cat >>"$home/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home'
ssl = on
ssl_cert_file = '$home/tls/server.pem'
ssl_key_file = '$home/tls/server.key'
fsync = off
full_page_writes = off
max_connections = 200
logging_collector = off
CONF
cat >"$home/ctl" <<CTL
#!/bin/sh
exec ${as[*]} '$bin/pg_ctl' --pgdata='$home/data' --log='$home/log' --wait --silent "\$@"
CTL
chmod 755 "$home/ctl"

# A port that is free: another run may have the one that was drawn.
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    echo "port = $port" >>"$home/data/postgresql.conf"
    if "$home/ctl" start >/dev/null 2>&1; then
        started=yes
        break
    fi
done
if [ -z "${started:-}" ]; then
    tail -n 20 "$home/log" >&2
    exit 1
fi

cat >"$home/standby-ctl" <<CTL
#!/bin/sh
exec ${as[*]} '$bin/pg_ctl' --pgdata='$home/standby-data' --log='$home/standby-log' --wait --silent "\$@"
CTL
cat >"$home/standby" <<STANDBY
#!/usr/bin/env bash
set -euo pipefail
${as[*]} '$bin/pg_basebackup' --pgdata='$home/standby-data' --host='$home' --port=$port --username=tickmark \\
    --write-recovery-conf --checkpoint=fast --no-sync
for _ in 1 2 3 4 5; do
    port=\$((20000 + RANDOM % 12000))
    echo "port = \$port" >>'$home/standby-data/postgresql.conf'
    if '$home/standby-ctl' start >/dev/null 2>&1; then
        echo "\$port"
        exit
    fi
done
tail -n 20 '$home/standby-log' >&2
exit 1
STANDBY
chmod 755 "$home/standby" "$home/standby-ctl"

export TEST_POSTGRES_STANDBY=$home/standby
export TEST_POSTGRES="postgres://tickmark@localhost:$port/postgres?host=$home"
export TEST_POSTGRES_CA=$home/tls/ca.pem
export TEST_POSTGRES_CTL=$home/ctl
"$@"
