#!/usr/bin/env bash
# Packages a binary, installs the Debian package, sees its service run, removes and purges it, and ends with the line
# `N passed, N failed, N skipped`.
#
#     test.sh BINARY
#
# All of it happens in a copy of this system that ends with the test: an overlay above /, in namespaces and a control group of its own,
# with a systemd of its own, so that the unit is tried as it is, its sandbox included. Nothing of this system is touched, its ports are
# not used, and what a purge leaves behind is what the overlay holds. That takes root; where it cannot be, the test is left out, and
# that is said.
set -euo pipefail
# The longest that all of it may take, and that the service may take to start, in seconds: bounds, never waits.
readonly limit_s=300 start_limit_s=60
passed=0 failed=0

step() { # what is tested, then the function that does
    local what=$1 output code
    shift
    # Apart, as `set -e` counts for nothing in a condition.
    set +e
    output=$(set -e; "$@" 2>&1 </dev/null)
    code=$?
    set -e
    if [ "$code" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n%s\n' "$what" "$output"
    fi
}

finish() { # how many were left out
    echo "$passed passed, $failed failed, ${1:-0} skipped"
    [ "$failed" = 0 ]
}

left_out() {
    echo "The Debian package was made, but not installed for a try: $1."
    finish 1
    exit
}

### What happens inside the copy

readonly config=/etc/tickmark/tickmark.toml data=/var/lib/tickmark unit=/lib/systemd/system/tickmark.service

mode() { stat -c '%U:%G %a' "$1"; }

is() { # what it should be, what it is
    [ "$1" = "$2" ] || { echo "It should be '$1' and is '$2'."; return 1; }
}

as_its_user() { setpriv --reuid tickmark --regid tickmark --init-groups tickmark --config "$config" "$@"; }

# Follows the log of the service until it says something.
until_said() {
    # shellcheck disable=SC2016 # The inner shell is the one to expand it.
    timeout "$start_limit_s" bash -c 'grep -q -m 1 "$1" < <(journalctl -u tickmark -n all -f 2>/dev/null)' - "$1" ||
        { journalctl -u tickmark --no-pager -n 20; return 1; }
}

installs() {
    dpkg -i /try/tickmark.deb
    is "tickmark:tickmark 750" "$(mode "$data")"
    is "root:tickmark 640" "$(mode "$config")"
    is enabled "$(systemctl is-enabled tickmark)"
    dpkg --verify tickmark
}

is_bounded() { # systemd's own judgement: 0 is locked up, 100 wide open
    systemd-analyze security --threshold=15 tickmark >/tmp/judgement || { tail -n 1 /tmp/judgement; return 1; }
}

is_documented() {
    # By its path: a page asked for by name would be kept in a cache.
    MANWIDTH=80 man --warnings -l "$(man -w tickmark)" >/tmp/page 2>/tmp/warnings
    grep -q TICKMARK_ADMIN_PASSWORD /tmp/page
    is "" "$(cat /tmp/warnings)"
    man -w tickmark-box-add
}

completes() {
    bash -ec '. /usr/share/bash-completion/completions/tickmark
        COMP_WORDS=(tickmark box p) COMP_CWORD=2
        _tickmark tickmark p box
        [ "${COMPREPLY[*]}" = probe ] || { echo "completed as: ${COMPREPLY[*]}"; exit 1; }'
}

answers() {
    local reply
    until_said 'Set it up: http://127.0.0.1:8888/cp/setup?token='
    is active "$(systemctl is-active tickmark)"
    exec 3<>/dev/tcp/127.0.0.1/8888
    printf 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
    reply=$(cat <&3)
    [[ $reply == "HTTP/1.1 200 "*ok ]] || { echo "$reply"; return 1; }
}

has_commands_beside_it() {
    as_its_user box list | grep -q tickmark
    is "tickmark:tickmark 600" "$(mode "$data/tickmark.db")"
}

upgrades() {
    sed -i 's/^listen = .*/listen = "127.0.0.1:8889"/' "$config"
    dpkg -i /try/tickmark.deb
    until_said 'Tickmark is at http://127.0.0.1:8889/cp'
    is "root:tickmark 640" "$(mode "$config")"
}

does_not_retry_a_wrong_configuration() {
    sed -i 's/^listen = .*/listen = "nowhere"/' "$config"
    systemctl restart tickmark || true
    until_said 'is no address and port'
    # Its end is told after its last words.
    timeout "$start_limit_s" bash -c 'until systemctl is-failed --quiet tickmark; do sleep 0.1; done'
    is 0 "$(systemctl show -P NRestarts tickmark)"
    sed -i 's/^listen = .*/listen = "127.0.0.1:8888"/' "$config"
    systemctl restart tickmark
}

is_removed() {
    dpkg -r tickmark
    [ ! -e /usr/bin/tickmark ]
    [ ! -e "$unit" ]
    is "" "$(pgrep -x tickmark || true)"
    [ -s "$data/tickmark.db" ]
    [ -s "$data/tickmark.key" ]
    [ -s "$config" ]
}

is_whole_when_it_comes_back() {
    dpkg -i /try/tickmark.deb
    systemctl stop tickmark
    as_its_user check
}

is_purged() {
    local left
    dpkg -P tickmark
    # Whatever names it still, but for the records of dpkg. An overlay marks deletions by character devices.
    left=$(find /upper -name '*tickmark*' ! -type c ! -path '/upper/try/*' ! -path '/upper/var/lib/dpkg/*')
    is "" "$left"
    is "" "$(getent passwd tickmark; getent group tickmark)"
    is "" "$(dpkg-query -W -f '${Status}' tickmark 2>/dev/null || true)"
}

inside() {
    step "it installs" installs
    step "its service answers, and its log has the setup link" answers
    step "its service is locked up" is_bounded
    if command -v man >/dev/null; then step "it has manual pages" is_documented; fi
    step "bash completes its commands" completes
    step "commands run beside it" has_commands_beside_it
    step "an upgrade keeps the configuration" upgrades
    step "a wrong configuration is said once" does_not_retry_a_wrong_configuration
    step "its removal keeps data and configuration" is_removed
    step "what it kept is whole when it comes back" is_whole_when_it_comes_back
    step "its purge leaves nothing" is_purged
    finish
}

### What makes the copy

# Systems of devices and of the kernel as a container has them: its own, and nothing of this system's to change.
mount_systems() { # the root of the copy
    local root=$1 node
    mount -t proc proc "$root/proc"
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for node in null zero full random urandom tty; do
        touch "$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs tmpfs "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
}

units() { # where units are: the service that tries the package, and what starts it and nothing else of this system
    printf '[Unit]\n' | tee "$1/sysinit.target" >"$1/network-online.target"
    cat >"$1/try.target" <<UNIT
[Unit]
Requires=systemd-journald.service try.service
UNIT
    cat >"$1/try.service" <<UNIT
[Unit]
DefaultDependencies=no
After=systemd-journald.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardOutput=file:/result
StandardError=inherit
ExecStart=/try/test.sh inside
ExecStopPost=systemctl exit
UNIT
}

copy() { # a folder for it, the package, where the result goes
    local folder=$1 package=$2 result=$3 root=$1/root
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$folder"
    mkdir "$folder/upper" "$folder/work" "$root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
    mkdir "$root/upper" "$root/old" "$root/try"
    touch "$root/result"
    mount --bind "$folder/upper" "$root/upper"
    mount --bind "$result" "$root/result"
    mount_systems "$root"
    # A package that is installed here must not be what is tested, and containers forbid services to start.
    chroot "$root" dpkg -P tickmark >/dev/null 2>&1 || true
    rm -f "$root/usr/sbin/policy-rc.d"
    cp "$package" "$root/try/tickmark.deb"
    cp "$0" "$root/try/test.sh"
    units "$root/etc/systemd/system"
    cd "$root"
    pivot_root . old
    umount -l /old
    exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other SYSTEMD_PROC_CMDLINE=systemd.unit=try.target /lib/systemd/systemd --system
}

# A control group of its own, which systemd takes for the root of all, for as long as it runs.
enclose() { # a folder for the groups' file system, then what `copy` wants
    local groups=$1 group=$1/tickmark-test-$$
    shift
    mount -t cgroup2 cgroup2 "$groups"
    mkdir "$group"
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        exec timeout -s KILL "$limit_s" unshare --mount --cgroup --net --uts --ipc --pid --fork --kill-child "$0" copy "$@"
    ) || true
    # Groups of processes that ended just now may not be free yet.
    for ((i = 0; i < 100; i++)); do
        if find "$group" -depth -type d -exec rmdir {} +; then break; fi
        sleep 0.1
    done
}

tries() { # a folder
    mkdir "$1/groups" "$1/copy"
    touch "$1/result"
    unshare --mount "$0" enclose "$1/groups" "$1/copy" "$(echo "$1"/package/*.deb)" "$1/result" >"$1/systemd" 2>&1 </dev/null || true
}

case $1 in
inside | copy | enclose) "$@" ;;
*)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    # Packing well takes long, and is not what is tested.
    "$(dirname "$0")/package.sh" "$1" "$folder/package" -Zgzip -z1
    command -v dpkg-deb >/dev/null || { echo "No Debian package is made here: dpkg-deb is missing."; finish 1; exit; }
    [ "$(id -u)" = 0 ] || left_out "that takes root"
    [ -x /lib/systemd/systemd ] || left_out "systemd is not here"
    tries "$folder"
    if [ ! -s "$folder/result" ]; then
        cat "$folder/systemd"
        left_out "this system allows no copy of itself with a systemd of its own"
    fi
    cat "$folder/result"
    tail -n 1 "$folder/result" | grep -q ' 0 failed'
    ;;
esac
