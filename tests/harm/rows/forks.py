"""The target makes children while heaptop comes and goes."""
import atexit
import functools
import os
import shutil
import subprocess
import tempfile

from row import EACH, Row, programs, works

GROUP = "The target makes children"


def forks(how):
    return works("forks.py", how, is_steady=False)


@functools.lru_cache(maxsize=None)
def slow_lock():
    """tests/lib/slow_lock.c, to be preloaded."""
    folder = tempfile.mkdtemp(prefix="harm-lock-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    library = os.path.join(folder, "slow_lock.so")
    source = os.path.join(os.environ["SOURCE_DIR"], "tests", "lib", "slow_lock.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def forks_beside_the_lock(cell, rounds):
    """Each attach makes a thread state while a child is forked (CPython issue 112275)."""
    works("forks.py", "fork", is_steady=False, env={"LD_PRELOAD": slow_lock()})(cell, rounds)


def with_head_lock(found):
    return [i for i in found if i.minor < 12 and not i.root]


ROWS = [
    Row("fork", "12", "os.fork all the time; children collect and start threads", forks("fork"),
        short=EACH(3)),
    Row("fork-head-lock", "12", "os.fork while the agent has HEAD_LOCK, for 3 ms",
        forks_beside_the_lock, on=with_head_lock, needs=programs("cc"), short=EACH(2)),
    Row("fork-thread", "12", "os.fork in a thread", forks("fork_in_a_thread")),
    Row("subprocess", "12", "subprocess.run all the time", forks("subprocess")),
    Row("posix-spawn", "12", "os.posix_spawn all the time", forks("spawn")),
    Row("pool", "12", "a multiprocessing pool whose children import modules", forks("pool")),
    Row("vfork-slow", "12", "children made by vfork that take their time", forks("slow_vfork")),
    Row("daemon", "12", "a child that forks again and closes all descriptors", forks("daemon")),
    Row("fork-exec", "12", "os.fork and os.execv of Python itself", forks("exec")),
]
