"""What debian/ and packaging/heaptop.spec say, for the tests."""
import fnmatch
import os
import re

import csource


def lists(suffix):
    """The words of all debian/*.SUFFIX, as of install, docs, examples, manpages."""
    folder = os.path.join(csource.SOURCE, "debian")
    words = []
    for name in sorted(os.listdir(folder)):
        if name.endswith("." + suffix):
            words += csource.read("debian/" + name).split()
    return words


def spec():
    return csource.read("packaging/heaptop.spec")


MACROS = {"_bindir": "/usr/bin", "_libdir": "/usr/lib", "_includedir": "/usr/include",
          "_datadir": "/usr/share", "_mandir": "/usr/share/man", "_docdir": "/usr/share/doc",
          "_unitdir": "/usr/lib/systemd/system", "name": "heaptop"}


def spec_files():
    """The paths of all %files of the spec, as patterns without the first slash."""
    paths = []
    for line in spec().split("%files", 1)[1].split("%changelog")[0].split("\n"):
        line = re.sub(r"^%(doc|dir)\s+", "", line)
        if line.startswith("%{"):
            paths.append(re.sub(r"%\{(\w+)\}", lambda found: MACROS[found.group(1)], line)[1:])
    return paths


def is_covered(path, patterns):
    """Whether one of the patterns is the path, or a folder above it."""
    return any(fnmatch.fnmatch(path, pattern.rstrip("/")) or
               fnmatch.fnmatch(path, pattern.rstrip("/") + "/*") for pattern in patterns)


def uncovered_by_debian(installed):
    """What `make install` puts to /usr with a libdir of usr/lib, and no package has."""
    patterns = [word.replace("/lib/*/", "/lib/").replace("vendor-completions", "site-functions")
                for word in lists("install") + lists("manpages")]
    return [path for path in installed if not is_covered(path, patterns)]


def uncovered_by_spec(installed):
    return [path for path in installed if not is_covered(path, spec_files())]
