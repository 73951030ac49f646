"""The CPythons that tests can start.

    import interpreters
    for python in interpreters.found():      # one per minor version, 3.8 .. 3.15
        python.path, python.version (3, 11, 7), python.minor, python.name "3.11.7"
    for minor, reason in interpreters.missing():
        tap.skip("on CPython 3.%d" % minor, reason)

Looked for in this order; the first of a minor version wins, `every()` gives all:
HEAPTOP_PYTHONS (paths separated by colons), /usr/bin/python3.N, ~/.pyenv and
/opt/python. HEAPTOP_ONLY=11,12 limits to these minor versions.
"""
import glob
import os
import subprocess

FIRST_MINOR, LAST_MINOR = 8, 15

_PROBE = ("import sys; v = sys.version_info; "
          "print(sys.implementation.name, v[0], v[1], v[2], "
          "int(hasattr(sys, 'abiflags') and 't' in sys.abiflags), "
          "int(hasattr(sys, 'gettotalrefcount')))")


class Interpreter:
    def __init__(self, path, version, is_debug):
        self.path = path
        self.version = version
        self.minor = version[1]
        self.is_debug = is_debug
        self.name = "%d.%d.%d" % version + (" (debug)" if is_debug else "")

    def __repr__(self):
        return "CPython %s (%s)" % (self.name, self.path)


def _places():
    home = os.path.expanduser("~")
    for path in os.environ.get("HEAPTOP_PYTHONS", "").split(":"):
        if path:
            yield path
    for minor in range(FIRST_MINOR, LAST_MINOR + 1):
        yield "/usr/bin/python3.%d" % minor
    for pattern in (home + "/.pyenv/versions/*/bin/python3",
                    "/opt/python/*/bin/python3", "/usr/local/bin/python3.*[0-9]"):
        for path in sorted(glob.glob(pattern)):
            yield path


def _probe(path):
    if not os.access(path, os.X_OK):
        return None
    try:
        words = subprocess.run([path, "-I", "-c", _PROBE], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, timeout=20,
                               check=True).stdout.decode().split()
    except (OSError, subprocess.SubprocessError):
        return None
    name, version = words[0], tuple(int(word) for word in words[1:4])
    is_free_threaded, is_debug = words[4] == "1", words[5] == "1"
    if name != "cpython" or version[0] != 3 or is_free_threaded:
        return None
    if not FIRST_MINOR <= version[1] <= LAST_MINOR:
        return None
    return Interpreter(path, version, is_debug)


_cache = None


def every():
    """All that were found, several of a minor version included."""
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
    only = os.environ.get("HEAPTOP_ONLY")
    if only:
        minors = {int(word) for word in only.split(",")}
        return [i for i in _cache if i.minor in minors]
    return list(_cache)


def found():
    """One of each minor version, oldest first."""
    by_minor = {}
    for interpreter in every():
        by_minor.setdefault(interpreter.minor, interpreter)
    return [by_minor[minor] for minor in sorted(by_minor)]


def missing():
    """(minor, reason) of the versions that no interpreter stands for."""
    there = {interpreter.minor for interpreter in found()}
    return [(minor, "no python3.%d on this machine (set HEAPTOP_PYTHONS)" % minor)
            for minor in range(FIRST_MINOR, LAST_MINOR + 1) if minor not in there]


def one(minor=None):
    """Some interpreter (of this minor version), or None."""
    for interpreter in reversed(found()):
        if minor is None or interpreter.minor == minor:
            return interpreter
    return None


if __name__ == "__main__":
    for interpreter in every():
        print(interpreter)
    for minor, reason in missing():
        print("3.%d: %s" % (minor, reason))
