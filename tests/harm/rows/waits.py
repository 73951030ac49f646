"""The target is blocked in a system call, which must end as if nobody had come."""
import contextlib
import os
import subprocess
import tempfile
import time

from program import Cannot
from row import EACH, Row, files, root_and, works

GROUP = "Blocked in a system call"


# A part of these is done when they wait, and the stub does the rest.
IN_PARTS = ("write", "write_signal", "recv_all")


def waits(kind, who="alone", *more):
    return works("waits.py", kind, who, *more, is_steady=False, stub_may_stay=kind in IN_PARTS)


def on_host(found):
    """Where there is a C compiler."""
    return [i for i in found if not i.root]


@contextlib.contextmanager
def slow_files():
    """A FUSE file system in which a page takes 40 ms."""
    with tempfile.TemporaryDirectory(prefix="harm-fuse-") as folder:
        below, mounted = (os.path.join(folder, name) for name in ("below", "mounted"))
        os.mkdir(below)
        os.mkdir(mounted)
        with open(os.path.join(below, "page"), "wb") as file:
            file.write(b"x" * 4096)
        server = subprocess.Popen(["bindfs", "-f", "--read-rate=100k", below, mounted],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 10
            while not os.path.ismount(mounted):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise Cannot("bindfs mounts nothing here")
                time.sleep(0.01)
            yield os.path.join(mounted, "page")
        finally:
            server.terminate()  # it unmounts by itself
            server.wait()


def waits_for_fuse(cell, rounds):
    with slow_files() as path:
        waits("read_file", "alone", path)(cell, rounds)


# Restarted by the kernel after any stop, or by heaptop (an endless epoll_wait, a part of a write).
RESTARTED = [
    ("nanosleep", "nanosleep"), ("clock-nanosleep", "clock_nanosleep to a point in time"),
    ("select", "select"), ("poll", "poll"), ("ppoll", "ppoll"),
    ("epoll-endless", "epoll_wait without an end"), ("accept", "accept"), ("futex", "futex"),
    ("lock", "a lock of Python with a time-out"), ("flock", "flock"), ("wait4", "waitpid"),
    ("inotify", "a read from inotify"), ("epoll-of-python", "select.epoll().poll(time-out)"),
    ("recv-of-python", "socket.recv with a time-out"),
    ("connect", "connect, with a full backlog"),
    ("recv-all", "recv of all bytes (MSG_WAITALL)"),
    ("write-signal", "a write that a signal ends"),
]
# Any stop ends these with EINTR, so heaptop borrows another thread when there is one.
AWKWARD = [
    ("epoll-finite", "epoll_wait with an end"), ("recv-timeout", "recv with SO_RCVTIMEO"),
    ("semop", "semop"), ("msgrcv", "msgrcv"), ("io-getevents", "io_getevents"),
    ("io-uring", "io_uring_enter"), ("sigtimedwait", "sigtimedwait"),
]

ROWS = [Row("wait-" + kind, "15", words, waits(kind.replace("-", "_")),
            short=EACH(3) if kind == "epoll-endless" else 2)
        for kind, words in RESTARTED]
ROWS += [Row("wait-read-" + kind, "15", "read from a " + kind, waits("read", "alone", kind))
         for kind in ("pipe", "tty", "socket")]
ROWS += [Row("wait-write-" + kind, "15", "write to a full " + kind, waits("write", "alone", kind),
             short=EACH(2) if kind == "pipe" else 1) for kind in ("pipe", "socket")]
ROWS += [Row("wait-epoll-foreign", "15", "a C thread in epoll_wait without an end",
             waits("epoll_foreign"), on=on_host)]
ROWS += [Row("wait-" + kind, "15", words + ", beside another thread",
             waits(kind.replace("-", "_"), "helped")) for kind, words in AWKWARD]
ROWS += [
    Row("wait-fuse", "15", "a read from a FUSE file system", waits_for_fuse, on=on_host,
        needs=lambda: files("/dev/fuse")() or root_and("bindfs")()),
]
