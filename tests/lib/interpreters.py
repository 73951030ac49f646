"""The CPythons that tests can start.

    import interpreters
    for python in interpreters.found():      # one per minor version, 3.8 .. 3.15
        python.path, python.version (3, 11, 7), python.minor, python.name "3.11.7"
    for minor, reason in interpreters.missing():
        tap.skip("on CPython 3.%d" % minor, reason)
    for python in interpreters.everywhere():  # those of Debian sid's chroot too
        target.Target(python)                 # python.command starts it: it may need chroot
    for python in interpreters.free_threaded() + interpreters.musl():  # asked for by name only

Looked for in this order; the first of a minor version wins, `every()` gives all:
HEAPTOP_PYTHONS (paths separated by colons), /usr/bin/python3.N, ~/.pyenv and
/opt/python. HEAPTOP_ONLY=11,12 limits to these minor versions.

`everywhere()` adds the interpreters inside the chroot of Debian sid that
tests/lib/chroots.sh made, each with its own libraries; `of_release("bullseye")` has those
of another. Only a process started with chroot can run them, and it
sees no file of the host: interpreter.temporary is a folder that it shares, which
it knows as interpreter.inside(path).
"""
import glob
import os
import shutil
import subprocess

FIRST_MINOR, LAST_MINOR = 8, 15

_PROBE = ("import sys; v = sys.version_info; "
          "print(sys.implementation.name, v[0], v[1], v[2], "
          "int(hasattr(sys, 'abiflags') and 't' in sys.abiflags), "
          "int(hasattr(sys, 'gettotalrefcount')), "
          "int('musl' in (__import__('sysconfig').get_config_var('MULTIARCH') or '')))")


class Interpreter:
    def __init__(self, path, version, is_debug, root=None, is_free_threaded=False,
                 is_musl=False):
        self.path = path  # inside the root
        self.root = root  # None: the host's own
        self.command = _command(path, root)
        self.temporary = os.path.join(root, "tmp") if root else None
        self.version = version
        self.minor = version[1]
        self.is_debug = is_debug
        self.is_free_threaded = is_free_threaded
        self.is_musl = is_musl
        self.name = "%d.%d.%d" % version + ("t" if is_free_threaded else "") \
            + (" (debug)" if is_debug else "") + (" (musl)" if is_musl else "")
        if root:
            self.name += " in %s (%s)" % (os.path.basename(root), os.path.basename(path))

    def inside(self, path):
        """What the interpreter calls this file of the host."""
        return os.path.join("/", os.path.relpath(path, self.root)) if self.root else path

    def bring(self, path):
        """Copies a file of the host to where it can be read; what it is called there."""
        if not self.root:
            return path
        copied = os.path.join(self.temporary, os.path.basename(path))
        shutil.copyfile(path, copied + ".new")
        os.replace(copied + ".new", copied)
        return self.inside(copied)

    def __repr__(self):
        return "CPython %s (%s)" % (self.name, self.path)


def _command(path, root):
    return ["chroot", root, path] if root else [path]


def _places():
    home = os.path.expanduser("~")
    for path in os.environ.get("HEAPTOP_PYTHONS", "").split(":"):
        if path:
            yield path
    for minor in range(FIRST_MINOR, LAST_MINOR + 1):
        yield "/usr/bin/python3.%d" % minor
        yield "/usr/bin/python3.%d-dbg" % minor
    for pattern in (home + "/.pyenv/versions/*/bin/python3",
                    "/opt/python/*/bin/python3", "/usr/local/bin/python3.*[0-9]"):
        for path in sorted(glob.glob(pattern)):
            yield path


def _probe(path, root=None):
    if not root and not os.access(path, os.X_OK):
        return None
    try:
        words = subprocess.run(_command(path, root) + ["-I", "-c", _PROBE], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, timeout=20,
                               check=True).stdout.decode().split()
    except (OSError, subprocess.SubprocessError):
        return None
    name, version = words[0], tuple(int(word) for word in words[1:4])
    is_free_threaded, is_debug, is_musl = [word == "1" for word in words[4:7]]
    if name != "cpython" or version[0] != 3:
        return None
    if not FIRST_MINOR <= version[1] <= LAST_MINOR:
        return None
    return Interpreter(path, version, is_debug, root, is_free_threaded, is_musl)


_cache = None


def every():
    """All that were found, several of a minor version included."""
    return [i for i in _all() if not i.is_free_threaded and not i.is_musl]


def free_threaded():
    """Those without a GIL; tests/lib/built_python.sh builds one."""
    return [i for i in _all() if i.is_free_threaded]


def musl():
    """Those with another C library, musl; tests/lib/built_python.sh builds one."""
    return [i for i in _all() if i.is_musl]


def _all():
    global _cache
    if _cache is None:
        seen, _cache = set(), []
        for path in _places():
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            interpreter = _probe(path)
            if interpreter:
                _cache.append(interpreter)
    return _only(_cache)


def _only(some):
    only = os.environ.get("HEAPTOP_ONLY")
    if only:
        minors = {int(word) for word in only.split(",")}
        return [i for i in some if i.minor in minors]
    return list(some)


_of_release = {}


def of_release(release):
    """(interpreters, why there are none) of a chroot that tests/lib/chroots.sh made."""
    if release not in _of_release:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chroots.sh")
        done = subprocess.run([script, "--list", release], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        lines = done.stdout.decode().splitlines()
        found_ = [_probe(path, root) for root, path in (line.split("\t") for line in lines)]
        _of_release[release] = ([i for i in found_ if i and not i.is_free_threaded],
                                done.stderr.decode().strip())
    found_, why = _of_release[release]
    return _only(found_), why


def rooted():
    """Those of the chroot of Debian sid; none when there is none."""
    return of_release("sid")[0]


def everywhere():
    """every() and then rooted()."""
    return every() + rooted()


def found():
    """One of each minor version, oldest first."""
    by_minor = {}
    for interpreter in every():
        by_minor.setdefault(interpreter.minor, interpreter)
    return [by_minor[minor] for minor in sorted(by_minor)]


def missing(some=None):
    """(minor, reason) of the versions that no interpreter (of these) stands for."""
    there = {interpreter.minor for interpreter in (found() if some is None else some)}
    reason = "no python3.%d on this machine (set HEAPTOP_PYTHONS)"
    why_no_root = of_release("sid")[1] if some is not None else ""
    if why_no_root:
        reason += "; " + why_no_root.replace("%", "%%")
    return [(minor, reason % minor) for minor in range(FIRST_MINOR, LAST_MINOR + 1) if minor not in there]


def one(minor=None):
    """Some interpreter (of this minor version), or None."""
    for interpreter in reversed(found()):
        if minor is None or interpreter.minor == minor:
            return interpreter
    return None


if __name__ == "__main__":
    for interpreter in everywhere() + free_threaded() + musl():
        print(interpreter)
    for minor, reason in missing(everywhere()):
        print("3.%d: %s" % (minor, reason))
