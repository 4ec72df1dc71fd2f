#!/usr/bin/env bash
# Installs what is missing for what is named: build, client, kamailio, postgres, mariadb, prometheus, browser, python,
# checks. Says nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly wasm=wasm32-unknown-unknown
# Pinned, so that a new release of a tool cannot turn a good commit bad.
readonly tools=(cargo-deny@0.20.2 cargo-machete@0.9.2)

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null; }

# Runs a command and shows what it printed only if it failed.
quietly() {
    local output
    if ! output=$("$@" 2>&1 </dev/null); then
        say "$output"
        return 1
    fi
}

# What is missing is gathered and told at once: nobody likes to be told the second half after the first was installed.
packages=() afterwards=()
want() { # a command, then the Debian package that brings it
    have "$1" || packages+=("$2")
}

install_packages() {
    [ ${#packages[@]} -gt 0 ] || return 0
    local become=()
    if [ "$(id -u)" != 0 ]; then become=(sudo); fi
    if ! have apt-get; then
        say "Missing: ${packages[*]} (names of Debian's packages). Install them with your system's package manager, then try again."
        exit 1
    fi
    if [ ${#become[@]} -gt 0 ] && ! { have sudo && sudo -n true 2>/dev/null; }; then
        say "Missing: ${packages[*]}. To install them type, as a user who may:"
        say "    sudo apt-get install ${packages[*]}"
        exit 1
    fi
    say "Installing ${packages[*]} …"
    local apt=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
    # The lists may be old, or not there at all.
    if ! quietly "${apt[@]}" install -y --no-install-recommends "${packages[@]}" 2>/dev/null; then
        quietly "${apt[@]}" update
        quietly "${apt[@]}" install -y --no-install-recommends "${packages[@]}"
    fi
}

need_build() {
    if ! have cargo || ! have rustc; then
        say "Rust is missing. Install it from https://rustup.rs, then try again."
        exit 1
    fi
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version | cut -d ' ' -f 2 | cut -d - -f 1)
    if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
        say "Rust $wanted or later is needed, here is $found. To update it type:"
        say "    rustup update stable"
        exit 1
    fi
    # Some crates bring C: SQLite, and the arithmetic of TLS.
    if ! echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1; then packages+=(gcc libc6-dev); fi
}

need_client() {
    if [ "${TICKMARK_CLIENT_TOOLCHAIN:-}" != debian ]; then
        if [ -d "$(rustc --print sysroot)/lib/rustlib/$wasm/lib" ]; then return; fi
        if have rustup; then
            say "Adding Rust's target $wasm …"
            if quietly rustup target add "$wasm"; then return; fi
            say "rustup could not add it; Debian's compiler for it stands in."
        fi
    fi
    [ -d /usr/lib/rustlib/src/rust/library/std ] || packages+=(rustc-web rust-web-src)
}

need_kamailio() {
    want kamailio kamailio
    want sipp sip-tester
    # Sets the clock of one process, for the tests of clocks that step.
    want faketime faketime
}

# Its server, for clusters that tests start themselves. Debian would begin one of its own at once, which nobody needs here.
need_postgres() {
    want openssl openssl
    if [ -n "${POSTGRES_BIN:-}" ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then return; fi
    packages+=(postgresql)
    local settings=/etc/postgresql-common
    if [ "$(id -u)" = 0 ] && have apt-get && ! [ -e $settings ]; then
        mkdir $settings
        echo "create_main_cluster = false" >$settings/createcluster.conf
        afterwards+=(forget_postgres_settings)
    fi
}

# Whoever wants a cluster of their own later gets one as everywhere.
forget_postgres_settings() {
    rm -f /etc/postgresql-common/createcluster.conf
}

# Its server, for those that tests start themselves.
need_mariadb() {
    have mariadb && have mariadb-install-db && return
    packages+=(mariadb-server)
    without_services
}

# Its promtool for the tests, and itself for the benchmarks. Debian would start the server as well, which nobody needs here.
need_prometheus() {
    have promtool && return
    packages+=(prometheus)
    without_services
}

# Where nothing says which services may start, nothing starts while packages are installed.
without_services() {
    local policy=/usr/sbin/policy-rc.d
    if [ "$(id -u)" != 0 ] || ! have apt-get || [ -e $policy ]; then return; fi
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    # However this ends.
    trap allow_services EXIT
}

allow_services() {
    rm -f /usr/sbin/policy-rc.d
}

need_browser() {
    want chromium chromium
    want node nodejs
    want npm npm
    afterwards+=(install_browser_tests)
}

install_browser_tests() {
    local e2e=server/tests/e2e
    if [ "$e2e/node_modules/.package-lock.json" -nt "$e2e/package-lock.json" ]; then return; fi
    say "Installing the browser tests' packages …"
    quietly npm --prefix "$e2e" ci
    touch "$e2e/node_modules/.package-lock.json"
}

# For the tools of OpenSIPS, which the tests install from PyPI, and for wget.
need_python() {
    if ! { have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }; then packages+=(python3 python3-venv); fi
    want wget wget
}

need_checks() {
    want shellcheck shellcheck
    afterwards+=(install_checks)
}

install_checks() {
    local tool
    for tool in "${tools[@]}"; do
        if ! have "${tool%@*}"; then
            say "Building ${tool%@*}, once: this takes some minutes …"
            quietly cargo install --locked "$tool"
        fi
    done
}

for part in "$@"; do "need_$part"; done
install_packages
for step in "${afterwards[@]}"; do "$step"; done
