#!/bin/sh
# Builds a free-threaded CPython, which Debian does not package, from Debian's own
# source package, and prints where it is.
#
#   tests/lib/free_threaded.sh [3.13]    builds it when it is not there yet
#
# It goes to /opt/python/3.13t (the folder $HEAPTOP_PYTHON_HOME, with the version and a t),
# where tests/lib/interpreters.py finds it. $HEAPTOP_MIRROR is the mirror, deb-src lines of
# the host are neither used nor changed. It takes some minutes of two cores and is kept.
set -eu

version=${1:-3.13}
home=${HEAPTOP_PYTHON_HOME:-/opt/python}/${version}t
mirror=${HEAPTOP_MIRROR:-http://deb.debian.org/debian}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

no() {
    echo "no free-threaded CPython $version: $*" >&2
    exit 1
}

# A mirror may list a version whose files it no longer has: the newest that it has is taken.
get_source() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
    printf 'deb-src %s %s main\n' "$mirror" sid "$mirror" trixie >"$work/sources.list"
    cat >"$work/apt.conf" <<EOF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
EOF
    export APT_CONFIG="$work/apt.conf"
    apt-get -q update || no "apt-get update failed"
    cd "$work"
    for release in $(apt-cache showsrc "python$version" | sed -n 's/^Version: //p' | sort -Vr); do
        ! apt-get -q source --tar-only --download-only "python$version=$release" || break
    done
    tar -xf "python$version"_*.orig.tar.* -C source --strip-components=1 ||
        no "the mirror has no source package python$version"
}

build() {
    cd "$work/source"
    ./configure -q --prefix="$home" --disable-gil --with-ensurepip=no \
        --disable-test-modules OPT='-g1 -O2 -Wall' || no "configure failed"
    nice -n 10 make -s -j2 || no "make failed"
    nice -n 10 make -s altinstall || no "make altinstall failed"
    test -x "$home/bin/python3" || ln -s "python${version}t" "$home/bin/python3"
}

if [ ! -x "$home/bin/python3" ]; then
    get_source >&2
    build >&2
fi
echo "$home/bin/python3"
