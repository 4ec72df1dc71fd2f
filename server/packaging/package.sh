#!/usr/bin/env bash
# What a binary is handed on as: itself, stripped, and a Dockerfile for it; the completions of shells; manual pages; and Debian's package
# of all of it.
#
#     package.sh BINARY FOLDER [OPTION OF dpkg-deb…]
#
# The folder is made anew. Without dpkg-deb there is no Debian package, and that is said.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
readonly here root
readonly binary=$1 out=$2
shift 2

# What Debian wants to know. The revision counts packagings of one version.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
readonly version revision=1 maintainer="Tickmark maintainers <maintainers@tickmark.example>"
# One commit makes one package, byte for byte.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

pack() { gzip -9n >"$1"; }

parts() {
    rm -rf "$out"
    mkdir -p "$out/completions"
    install -m 0755 "$binary" "$out/tickmark"
    strip --strip-unneeded "$out/tickmark"
    install -m 0644 "$here/Dockerfile" "$out/Dockerfile"
    "$out/tickmark" completions bash >"$out/completions/tickmark.bash"
    "$out/tickmark" completions zsh >"$out/completions/_tickmark"
    "$out/tickmark" completions fish >"$out/completions/tickmark.fish"
    "$out/tickmark" man "$out/man"
}

lay_out() { # a folder: puts into it what Debian installs, where Debian has it
    local tree=$1 doc=$1/usr/share/doc/tickmark page
    install -D -m 0755 "$out/tickmark" "$tree/usr/bin/tickmark"
    install -D -m 0644 "$here/tickmark.service" "$tree/lib/systemd/system/tickmark.service"
    install -D -m 0644 "$here/tickmark.toml" "$tree/etc/tickmark/tickmark.toml"
    install -D -m 0644 "$out/completions/tickmark.bash" "$tree/usr/share/bash-completion/completions/tickmark"
    install -D -m 0644 "$out/completions/_tickmark" "$tree/usr/share/zsh/vendor-completions/_tickmark"
    install -D -m 0644 "$out/completions/tickmark.fish" "$tree/usr/share/fish/vendor_completions.d/tickmark.fish"
    install -d "$tree/usr/share/man/man1" "$doc"
    for page in "$out"/man/*.1; do pack "$tree/usr/share/man/man1/${page##*/}.gz" <"$page"; done
    cat "$here/debian/copyright" "$root/LICENSE-MIT" >"$doc/copyright"
    pack "$doc/changelog.gz" <"$root/CHANGELOG.md"
    pack "$doc/changelog.Debian.gz" <<CHANGES
tickmark ($version-$revision) unstable; urgency=medium

  * Packaged; what is new stands in changelog.gz.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGES
}

control() { # the tree: writes what dpkg reads of it
    local tree=$1 glibc
    glibc=$(objdump -T "$out/tickmark" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1)
    mkdir "$tree/DEBIAN"
    install -m 0755 "$here"/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
    echo /etc/tickmark/tickmark.toml >"$tree/DEBIAN/conffiles"
    (cd "$tree" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
    cat >"$tree/DEBIAN/control" <<CONTROL
Package: tickmark
Version: $version-$revision
Architecture: $(dpkg --print-architecture)
Maintainer: $maintainer
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f 1)
Depends: adduser, libc6 (>= ${glibc#GLIBC_}), libgcc-s1
Recommends: ca-certificates
Section: net
Priority: optional
Description: web control panel for the statistics of SIP servers
 Tickmark asks OpenSIPS and Kamailio servers for their statistics, shows
 them live with a check box beside each, records the ticked ones in SQLite,
 and draws their history. This package runs it as a service with a user of
 its own; the panel is at http://127.0.0.1:8888/cp.
CONTROL
}

parts
if command -v dpkg-deb >/dev/null; then
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    chmod 0755 "$tree"
    umask 022
    lay_out "$tree"
    control "$tree"
    dpkg-deb --root-owner-group "${@:--Zxz}" --build "$tree" "$out" >/dev/null
else
    echo "No Debian package is made: dpkg-deb is not here." >&2
fi
