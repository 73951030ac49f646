"""A Python that PyInstaller froze into one file, which runs a script like any other.

    why = frozen.missing()                   # None: it can be made
    with frozen.python() as path:            # -> the program, gone afterwards

PyInstaller is what /usr/bin/python3 imports, from HEAPTOP_PYINSTALLER too (folders with
colons between them: its own and its hooks').
"""
import contextlib
import os
import subprocess
import tempfile

PYTHON = "/usr/bin/python3"
# Options come first (-W ignore), then the script and its arguments.
RUNNER = """
import ctypes, errno, fcntl, gc, hashlib, json, os, select, signal, socket, struct, sys
import tempfile, threading, time
sys.argv = sys.argv[3:]
with open(sys.argv[0]) as file:
    text = file.read()
exec(compile(text, sys.argv[0], "exec"), {"__name__": "__main__"})
"""


def _environment():
    return dict(os.environ, PYTHONPATH=os.environ.get("HEAPTOP_PYINSTALLER", ""),
                PYTHONDONTWRITEBYTECODE="1")


def missing():
    done = subprocess.run([PYTHON, "-c", "import PyInstaller, _pyinstaller_hooks_contrib"],
                          env=_environment(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    return None if done.returncode == 0 else \
        "%s has no PyInstaller (HEAPTOP_PYINSTALLER is where it lies)" % PYTHON


@contextlib.contextmanager
def python():
    with tempfile.TemporaryDirectory(prefix="heaptop-frozen-") as folder:
        script = os.path.join(folder, "python_frozen.py")
        with open(script, "w") as file:
            file.write(RUNNER)
        subprocess.run([PYTHON, "-m", "PyInstaller", "--onefile", script], cwd=folder,
                       env=_environment(), check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield os.path.join(folder, "dist", "python_frozen")
