#!/bin/sh
# Builds a CPython that Debian does not package, from Debian's own source package, and
# prints where it is.
#
#   tests/lib/built_python.sh t [3.13]       a free-threaded one
#   tests/lib/built_python.sh musl [3.13]    one for musl (needs musl-tools and libtool)
#
# It goes to /opt/python/3.13t or /opt/python/3.13musl (the folder $HEAPTOP_PYTHON_HOME),
# where tests/lib/interpreters.py finds it; it is built when it is not there yet, in some
# minutes of two cores, and is kept. $HEAPTOP_MIRROR is the mirror; deb-src lines of the
# host are neither used nor changed.
set -eu

kind=${1:-}
version=${2:-3.13}
home=${HEAPTOP_PYTHON_HOME:-/opt/python}/$version$kind
mirror=${HEAPTOP_MIRROR:-http://deb.debian.org/debian}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

no() {
    echo "no CPython $version$kind: $*" >&2
    exit 1
}

# A mirror may list a version whose files it no longer has: the newest that it has is taken.
use_sources() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    printf 'deb-src %s %s main\n' "$mirror" sid "$mirror" trixie >"$work/sources.list"
    cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
END
    export APT_CONFIG="$work/apt.conf"
    apt-get -q update || no "apt-get update failed"
}

get_source() {
    mkdir "$work/$1"
    cd "$work"
    for release in $(apt-cache showsrc "$1" | sed -n 's/^Version: //p' | sort -Vr); do
        ! apt-get -q source --tar-only --download-only "$1=$release" || break
    done
    tar -xf "$1"_*.orig.tar.* -C "$1" --strip-components=1 ||
        no "the mirror has no source package $1"
}

# musl-gcc is gcc with other folders: it says glibc's name of the platform, knows no header
# of the kernel's, and pkg-config would name glibc's libraries.
use_musl() {
    command -v musl-gcc >/dev/null || no "musl-gcc is not installed (Debian: musl-tools)"
    command -v libtoolize >/dev/null || no "libtoolize is not installed (Debian: libtool)"
    mkdir "$work/kernel"
    ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -print-multiarch)/asm" \
        "$work/kernel"
    cat >"$work/cc" <<END
#!/bin/sh
case "\$*" in *--print-multiarch*) echo "$(uname -m)-linux-musl"; exit ;; esac
exec musl-gcc -idirafter "$work/kernel" "\$@"
END
    chmod +x "$work/cc"
    export CC="$work/cc" PKG_CONFIG_LIBDIR=/nonexistent
    get_source libffi # for ctypes
    cd "$work/libffi"
    autoreconf -fi || no "autoreconf of libffi failed"
    ./configure -q --prefix="$work/own" --libdir="$work/own/lib" --disable-shared --with-pic \
        --disable-docs --disable-multi-os-directory || no "configure of libffi failed"
    make -s -j2 install || no "make of libffi failed"
    export LIBFFI_CFLAGS="-I$work/own/include" LIBFFI_LIBS="-L$work/own/lib -lffi"
}

build() {
    get_source "python$version"
    cd "$work/python$version"
    ./configure -q --prefix="$home" --with-ensurepip=no --disable-test-modules \
        OPT='-g1 -O2 -Wall' "$@" || no "configure failed"
    nice -n 10 make -s -j2 || no "make failed"
    nice -n 10 make -s altinstall || no "make altinstall failed"
    test -x "$home/bin/python3" || ln -s "python$version$suffix" "$home/bin/python3"
}

make_python() {
    use_sources
    case $kind in
    t) suffix=t && set -- --disable-gil ;;
    musl) suffix='' && set -- && use_musl ;;
    esac
    build "$@"
}

case $kind in
t | musl) ;;
*) no "say which: t or musl" ;;
esac
test -x "$home/bin/python3" || make_python >&2
echo "$home/bin/python3"
