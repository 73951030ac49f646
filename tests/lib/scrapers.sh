#!/bin/sh
# Unpacks Debian's prometheus, victoria-metrics and prometheus-node-exporter for the tests
# and prints the folder of their programs. They are not installed, so that no service is
# started.
#
#   tests/lib/scrapers.sh          fetches them when they are not there yet
#   tests/lib/scrapers.sh --list   only prints; ends with 1 and a reason when they are not
#
# They are kept in $HEAPTOP_SCRAPERS (~/.cache/heaptop/scrapers): delete it to have them
# fetched anew.
set -eu

root=${HEAPTOP_SCRAPERS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/heaptop/scrapers}

no() {
    echo "no scrapers: $*" >&2
    exit 1
}

# The name is given at the end, so that a half of it does not pass for the whole.
fetch() {
    mkdir -p "$(dirname "$root")" || no "$root cannot be made"
    rm -rf "$root.new"
    mkdir "$root.new"
    cd "$root.new"
    apt-get -q download prometheus victoria-metrics prometheus-node-exporter \
        >"$root.log" 2>&1 || no "apt-get download failed (see $root.log)"
    for package in *.deb; do
        dpkg -x "$package" . || no "$package cannot be unpacked"
        rm "$package"
    done
    mv "$root.new" "$root"
    rm -f "$root.log"
}

if [ ! -d "$root" ]; then
    [ "${1:-}" != --list ] || no "tests/lib/scrapers.sh makes $root"
    command -v dpkg >/dev/null || no "there is no dpkg"
    command -v apt-get >/dev/null || no "there is no apt-get"
    fetch
fi
echo "$root/usr/bin"
