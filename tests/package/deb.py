"""Builds the Debian packages, for the tests of them."""
import glob
import hashlib
import os
import shutil
import subprocess

SOURCE = os.environ["SOURCE_DIR"]
BUILD = os.environ["BUILD_DIR"]
KEPT = os.path.join(BUILD, "packages")   # the last that were built


def run(command, folder, **environment):
    """(its status, what it printed)"""
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith(("MAKE", "MFLAGS", "DEB_", "PYTHON", "HEAPTOP"))}
    inherited.update(environment)
    done = subprocess.run(command, cwd=folder, env=inherited, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def last_lines(text, count=60):
    return "\n".join(text.split("\n")[-count:])


def missing_tool():
    """Why packages cannot be built here, or None."""
    for program, package in (("dpkg-buildpackage", "dpkg-dev"), ("dh", "debhelper")):
        if not shutil.which(program):
            return "%s is not installed (%s)" % (program, package)
    status, out = run(["dpkg-checkbuilddeps", os.path.join(SOURCE, "debian", "control")], SOURCE)
    return out.strip() if status else None


def unpack_tarball(folder):
    """`make dist` in a build of its own; the source that comes of it."""
    pack = os.path.join(folder, "pack")
    os.makedirs(pack)
    for command in [os.path.join(SOURCE, "configure"), "-q"], ["make", "-s", "dist"]:
        status, out = run(command, pack)
        if status:
            raise RuntimeError(last_lines(out))
    tarball = glob.glob(os.path.join(pack, "heaptop-*.tar.gz"))[0]
    subprocess.run(["tar", "xzf", tarball, "-C", folder], check=True)
    return os.path.join(folder, os.path.basename(tarball)[:-len(".tar.gz")])


def copy_git(folder):
    """What git keeps, as it stands in the source now; None where there is no git."""
    tree = os.path.join(folder, "a-name-that-is-longer", "tree")
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=SOURCE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode:
        return None
    for name in done.stdout.decode().split("\0"):
        path = os.path.join(SOURCE, name)
        if name and os.path.exists(path):
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            shutil.copy2(path, os.path.join(tree, name))
    return tree


def build(tree, **environment):
    """(status, what it printed); the packages lie beside the tree."""
    return run(["dpkg-buildpackage", "-us", "-uc", "-b"], tree, **environment)


def sums(tree):
    """The names of the packages that a build gave, and their sha256."""
    found = {}
    for path in sorted(glob.glob(os.path.join(os.path.dirname(tree), "*.deb"))):
        with open(path, "rb") as file:
            found[os.path.basename(path)] = hashlib.sha256(file.read()).hexdigest()
    return found


def keep(tree):
    """For the other tests."""
    shutil.rmtree(KEPT, ignore_errors=True)
    os.makedirs(KEPT)
    for pattern in "*.deb", "*.changes", "*.buildinfo":
        for path in glob.glob(os.path.join(os.path.dirname(tree), pattern)):
            shutil.copy2(path, KEPT)


def kept(name):
    """The package of this name that was built last, or None."""
    found = glob.glob(os.path.join(KEPT, name + "_*.deb"))
    return found[0] if found else None
