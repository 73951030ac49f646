#!/bin/sh
# Makes a chroot with newer interpreters than the host has, and prints them: one line
# for each, the chroot and the path inside it, with a tab between.
#
#   tests/lib/sid.sh          makes the chroot when it is not there yet
#   tests/lib/sid.sh --list   only prints; ends with 1 and a reason when it is not there
#
# It is made in $HEAPTOP_SID (~/.cache/heaptop/sid) by debootstrap from the host's own
# mirror, $HEAPTOP_MIRROR when that is set, and kept: delete it to have it made anew.
# $HEAPTOP_SID_PACKAGES are further packages, python3.15-dbg for example.
set -eu

root=${HEAPTOP_SID:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/heaptop/sid}
mirror=${HEAPTOP_MIRROR:-http://deb.debian.org/debian}
packages="python3.13 python3.14 python3.15 ${HEAPTOP_SID_PACKAGES:-}"

no() {
    echo "no chroot of Debian sid: $*" >&2
    exit 1
}

print_interpreters() {
    for path in "$root"/usr/bin/python3.*; do
        case ${path##*/} in
        *-config | *d | *[!-0-9a-z.]*) continue ;;
        esac
        [ ! -x "$path" ] || printf '%s\t%s\n' "$root" "${path#"$root"}"
    done
}

# debootstrap wants a folder that it may fill from the beginning, and one that stopped
# half way must not pass for a whole one: the name is given at the end.
make_chroot() {
    command -v debootstrap >/dev/null || no "debootstrap is not installed"
    mkdir -p "$(dirname "$root")" || no "$root cannot be made"
    exec 9>"$root.lock"
    flock 9
    [ ! -d "$root" ] || return 0
    rm -rf "$root.new"
    # shellcheck disable=SC2086 # the packages are words
    debootstrap --variant=minbase --include="$(echo $packages | tr ' ' ,)" sid \
        "$root.new" "$mirror" >"$root.log" 2>&1 || {
        rm -rf "$root.new"
        no "debootstrap ended with $(tail -n 1 "$root.log") (see $root.log)"
    }
    rm -rf "$root.new/var/cache/apt/archives" "$root.new/var/lib/apt/lists"
    mv "$root.new" "$root"
    rm -f "$root.log"
}

[ "$(uname -s)" = Linux ] || no "this is not Linux"
[ "$(id -u)" = 0 ] || no "only root can start a program in one"
command -v chroot >/dev/null || no "there is no program chroot"
if [ ! -d "$root" ]; then
    [ "${1:-}" != --list ] || no "tests/lib/sid.sh makes one in $root"
    make_chroot
fi
print_interpreters
