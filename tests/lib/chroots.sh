#!/bin/sh
# Makes chroots of other releases of Debian and Ubuntu, for interpreters and C libraries that the
# host does not have, and prints their interpreters: one line for each, the chroot and the path
# inside it, with a tab between.
#
#   tests/lib/chroots.sh                   makes those that are not there yet
#   tests/lib/chroots.sh sid               only this one: sid, bullseye, trixie, bookworm,
#                                          or bionic (Ubuntu 18.04: glibc 2.27)
#   tests/lib/chroots.sh --list [RELEASE]  only prints; a reason for each that is not there,
#                                          and 1 at the end when none is
#
# They are made in the folder $HEAPTOP_CHROOTS (~/.cache/heaptop), each under the name of its
# release, by debootstrap from Debian's mirror, $HEAPTOP_MIRROR when that is set, and kept
# (Ubuntu's is $HEAPTOP_UBUNTU_MIRROR): delete one to have it made anew.
# $HEAPTOP_SID_PACKAGES are further packages for sid, python3.15-dbg for example.
set -eu

folder=${HEAPTOP_CHROOTS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/heaptop}
mirror=${HEAPTOP_MIRROR:-http://deb.debian.org/debian}
ubuntu_mirror=${HEAPTOP_UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}

no() {
    echo "no chroot of $release: $*" >&2
    exit 1
}

# sid has the newest interpreters, the others older and a newer C library.
choose_packages() {
    later=
    case $release in
    bionic) packages=ca-certificates later=python3.8 mirror=$ubuntu_mirror ;;
    sid) packages="python3.13 python3.14 python3.15 ${HEAPTOP_SID_PACKAGES:-}" ;;
    bullseye) packages=python3.9 ;;
    trixie) packages=python3.13 ;;
    bookworm) packages=python3 ;; # that a package is installed in
    *) no "no such release is known here" ;;
    esac
}

print_interpreters() {
    for path in "$root"/usr/bin/python3.*; do
        case ${path##*/} in
        *-config | *d | *[!-0-9a-z.]*) continue ;;
        esac
        [ ! -x "$path" ] || printf '%s\t%s\n' "$root" "${path#"$root"}"
    done
}

# What Ubuntu brought out later than the release is in a suite of its own.
install_updates() {
    echo "deb $mirror $release-updates main universe" >>"$root.new/etc/apt/sources.list"
    cp /etc/resolv.conf "$root.new/etc/resolv.conf"
    chroot "$root.new" sh -c "apt-get -q update && DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y install --no-install-recommends $later" >>"$root.log" 2>&1 || {
        rm -rf "$root.new"
        no "apt-get could not install $later (see $root.log)"
    }
}

# debootstrap wants a folder that it may fill from the beginning, and one that stopped
# half way must not pass for a whole one: the name is given at the end.
make_chroot() {
    command -v debootstrap >/dev/null || no "debootstrap is not installed"
    mkdir -p "$folder" || no "$folder cannot be made"
    exec 9>"$root.lock"
    flock 9
    [ ! -d "$root" ] || return 0
    rm -rf "$root.new"
    # shellcheck disable=SC2086 # the packages are words
    debootstrap --variant=minbase --include="$(echo $packages | tr ' ' ,)" "$release" \
        "$root.new" "$mirror" >"$root.log" 2>&1 || {
        rm -rf "$root.new"
        no "debootstrap ended with $(tail -n 1 "$root.log") (see $root.log)"
    }
    [ -z "$later" ] || install_updates
    rm -rf "$root.new/var/cache/apt/archives" "$root.new/var/lib/apt/lists"
    mv "$root.new" "$root"
    rm -f "$root.log"
}

one_release() {
    root=$folder/$release
    choose_packages
    [ "$(uname -s)" = Linux ] || no "this is not Linux"
    [ "$(id -u)" = 0 ] || no "only root can start a program in one"
    command -v chroot >/dev/null || no "there is no program chroot"
    if [ ! -d "$root" ]; then
        [ -z "$only_list" ] || no "tests/lib/chroots.sh $release makes one in $root"
        make_chroot
    fi
    print_interpreters
}

only_list=
if [ "${1:-}" = --list ]; then
    only_list=yes
    shift
fi
[ $# -gt 0 ] || set -- sid bullseye trixie bionic
status=1
for release in "$@"; do
    if (one_release); then
        status=0
    fi
done
exit $status
