"""The target is behind a boundary: namespaces, another root, another user, a tracer."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

import frozen
import interpreters
import look
import program
import tool
from row import (EACH, Row, cannot, debian, expect_refusal, few, files, free_threaded, minor,
                 musl, programs, root, root_and, works)

GROUP = "Boundaries: namespaces, roots, users, tracers"
# These can be asked to execute a script (PEP 768), which needs no tracer.
ASKED = 14
UNSHARE = root_and("unshare")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def behind(*options, **more):
    return works("plain.py", prefix=["unshare", *options, "--"], **more)


def arranged(commands):
    """In a mount namespace of its own, after these commands."""
    return works("plain.py", prefix=["unshare", "--mount", "--", "sh", "-c",
                                     commands + ' && exec "$@"', "sh"])


def open_to_all(found):
    """Interpreters that another user may execute."""
    return few([i for i in found if not i.root
                and not os.path.realpath(i.path).startswith("/root/")])


@contextlib.contextmanager
def run_by(cell, path):
    """The cell's interpreter is this program meanwhile."""
    original, cell.interpreter.command = cell.interpreter.command, [path]
    try:
        yield
    finally:
        cell.interpreter.command = original


def deleted(cell, rounds):
    """The interpreter's file was removed, and another one has its name."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "python3")
        shutil.copy(os.path.realpath(cell.interpreter.path), copy)
        with run_by(cell, copy), cell.start("plain.py", env={"PYTHONHOME": "/usr"}) as it:
            os.unlink(copy)
            shutil.copy("/bin/true", copy)
            before = look.Look(it.pid)
            cell.attach(it, rounds)
            cell.expect_released(it, before)
            cell.expect_finish(it)


def from_one_file(cell, rounds):
    """The program unpacks itself and runs as its own child."""
    with frozen.python() as path, run_by(cell, path), cell.start("plain.py") as it:
        it.pid = program.descendants(it.pid)[0]
        before = look.first(it.pid)
        cell.attach(it, rounds)
        cell.expect_released(it, before)
        cell.expect_finish(it)


def traced(cell, rounds):
    with cell.start("plain.py") as it:
        before = look.Look(it.pid)
        tracer = subprocess.Popen(["strace", "-qq", "-e", "trace=none", "-p", str(it.pid)],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 10
            while look.Look(it.pid).tracers == {"0"}:
                if tracer.poll() is not None or time.monotonic() > deadline:
                    cell.cannot = "strace does not attach here"
                    return
                time.sleep(0.01)
            cell.attach(it, rounds)
            if cell.interpreter.minor < ASKED:
                expect_refusal(cell, "")  # traced, or stopped by a debugger
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        cell.expect_released(it, before)
        cell.expect_finish(it)


def dumps_here():
    with open("/proc/sys/kernel/core_pattern") as file:
        return None if file.read().strip() == "core" else "the core's file has a place of its own"


def host_of_few(found):
    return few([i for i in found if not i.root])


def dumping(cell, rounds):
    """Some hundred megabytes are being written when heaptop comes."""
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            with cell.start("ends.py", "core", folder) as it:
                it.tell()
                deadline = time.monotonic() + 20
                while not os.listdir(folder) and time.monotonic() < deadline:
                    time.sleep(0.001)
                cell.count(tool.by_driver(it.pid, 1))
                status = it.wait(60)
                sizes = [os.stat(os.path.join(folder, name)).st_size
                         for name in os.listdir(folder)]
                if status != -signal.SIGABRT or not sizes or sizes[0] < 200 << 20:
                    cell.harm("status %r, cores of %r bytes" % (status, sizes))
    if cell.inside:
        cell.harm("attached to a process that ends")


def zombie(cell, rounds):
    process = subprocess.Popen(["true"])
    deadline = time.monotonic() + 10
    while open("/proc/%d/stat" % process.pid).read().rsplit(")", 1)[1].split()[0] != "Z":
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    for _ in range(rounds):
        cell.count(tool.by_program(process.pid))
    if cell.inside:
        cell.harm("attached to a zombie")
    process.wait()


def of_release(release, words, name="", run=works("plain.py"), short=0):
    """In the chroot that tests/lib/chroots.sh made, which has no /proc."""
    def on(found):
        return interpreters.of_release(release)[0] or few(found)

    def needs():
        own, why = interpreters.of_release(release)
        return None if own else why or "HEAPTOP_ONLY leaves it out"
    return Row("glibc-" + release + name, "24", words, run, on=on, needs=needs, short=short)


def beside(release):
    """Any stop ends the main thread's wait with EINTR: the other thread must be borrowed."""
    return of_release(release, "the same, and a wait with an end beside another thread",
                      "-beside", works("waits.py", "epoll_finite", "helped"), 2)


ROWS = [
    Row("mount-namespace", "23", "a mount namespace", behind("--mount"), needs=UNSHARE, on=few),
    Row("net-namespace", "23", "a network namespace", behind("--net"), needs=UNSHARE, on=few),
    Row("ipc-namespace", "23", "an IPC and UTS namespace", behind("--ipc", "--uts"),
        needs=UNSHARE, on=few),
    Row("pid-namespace", "23, 25", "a PID namespace, as its process 1",
        behind("--pid", "--fork"), needs=UNSHARE),
    Row("user-namespace", "23", "a user namespace", behind("--user", "--map-root-user"),
        needs=UNSHARE, on=few),
    Row("all-namespaces", "23", "all namespaces, as in a container",
        behind("--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--cgroup", "--user",
               "--map-root-user"), needs=UNSHARE),
    Row("no-proc", "23", "no /proc in the target",
        arranged("umount -l /proc"), needs=UNSHARE, on=few),
    Row("read-only", "23; threat 10", "a root that cannot be written",
        arranged("mount -o remount,bind,ro /"), needs=UNSHARE, on=few),
    Row("noexec", "23; threat 10", "/tmp forbids execution",
        arranged("mount --bind /tmp /tmp && mount -o remount,bind,noexec /tmp"),
        needs=UNSHARE, on=few),
    Row("memfd-noexec", "27; threat 10", "vm.memfd_noexec=2 in its PID namespace",
        works("plain.py", prefix=["unshare", "--pid", "--fork", "--mount-proc", "--", "sh", "-c",
                                  'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"', "sh"]),
        needs=lambda: UNSHARE() or files("/proc/sys/vm/memfd_noexec")(), on=few),
    Row("deleted", "23", "its executable was removed and replaced", deleted, on=debian),
    Row("root-on-other", "25; threat 4", "root attaches to another user's process",
        works("plain.py", prefix=NOBODY), on=open_to_all, needs=root_and("setpriv")),
    Row("user-on-own", "25; threat 4", "a plain user attaches to a process of their own",
        works("plain.py", prefix=NOBODY, tool_prefix=NOBODY), on=open_to_all,
        needs=root_and("setpriv")),
    Row("user-on-other", "25; threat 4", "a plain user and root's process",
        works("plain.py", tool_prefix=NOBODY, only_refuses=""), on=few,
        needs=root_and("setpriv")),
    Row("groups", "25", "it changes its groups all the time: every thread must follow",
        works("limits.py", "groups", is_steady=False), needs=root, short=EACH(1)),
    Row("groups-beside", "25", "it changes its groups all the time, beside a thread that waits",
        works("limits.py", "groups_beside", is_steady=False), needs=root, short=EACH(1)),
    Row("groups-in-c", "25", "a C thread changes its groups all the time",
        works("limits.py", "groups_in_c", is_steady=False), needs=root, short=EACH(1)),
    Row("groups-in-c-remote", "25", "the same, and a script that CPython executes",
        works("limits.py", "groups_in_c", is_steady=False,
              tool_prefix=["env", "HEAPTOP_VIA=remote"]), on=minor(ASKED), needs=root,
        short=EACH(1)),
    Row("undumpable", "25", "prctl(PR_SET_DUMPABLE, 0), and root attaches",
        works("limits.py", "undumpable"), on=few, needs=root),
    Row("undumpable-user", "25", "prctl(PR_SET_DUMPABLE, 0), and its user attaches",
        works("limits.py", "undumpable", prefix=NOBODY, tool_prefix=NOBODY, only_refuses=""),
        on=open_to_all, needs=root_and("setpriv")),
    Row("traced", "25", "strace is attached", traced, on=few, needs=programs("strace")),
    Row("zombie", "25", "a process that has ended", zombie, on=few),
    cannot("yama", "25", "Yama 1 to 3", "this kernel is built without Yama"),
    cannot("selinux", "27", "SELinux enforcing", "this kernel is built without SELinux"),
    of_release("bullseye", "an older C library, of Debian bullseye (glibc 2.31)"),
    beside("bullseye"),
    of_release("trixie", "a newer C library, of Debian trixie (glibc 2.41)"),
    of_release("bionic", "a C library as old as CPython 3.8, of Ubuntu 18.04 (glibc 2.27)"),
    beside("bionic"),
    Row("frozen-program", "24", "a program in one file, of PyInstaller", from_one_file,
        on=debian, needs=frozen.missing),
    cannot("conda", "24", "conda's Python", "not installed here"),
]
WITHOUT_A_GIL = [("compute", works("plain.py", "4", is_steady=False)),
                 ("noisy", works("noisy.py", is_steady=False)),
                 ("fork", works("forks.py", "fork", is_steady=False)),
                 ("malloc", works("native.py", "malloc", "4", is_steady=False)),
                 ("epoll-endless", works("waits.py", "epoll_endless", "helped", is_steady=False)),
                 ("write-pipe", works("waits.py", "write", "helped", "pipe", is_steady=False,
                                      stub_may_stay=True)),
                 ("alone", works("waits.py", "write", "alone", "pipe", is_steady=False,
                                 only_refuses="is a free-threaded"))]
ROWS += [Row("free-threaded-" + name, "24", "a free-threaded build: " + name, run,
             on=free_threaded, weight=2) for name, run in WITHOUT_A_GIL]
WITH_MUSL = [("compute", works("plain.py", "4")),
             ("malloc", works("native.py", "malloc", "4")),
             ("fork", works("forks.py", "fork", is_steady=False)),
             ("noisy", works("noisy.py", is_steady=False)),
             ("groups", works("limits.py", "groups_beside", is_steady=False)),
             ("alone", works("waits.py", "epoll_endless", "alone", may_refuse=True))]
ROWS += [Row("musl-" + name, "24", "another C library, musl: " + name, run, on=musl)
         for name, run in WITH_MUSL]
ROWS += [Row("core-dump", "25", "its core is being dumped", dumping, on=host_of_few,
             needs=dumps_here, short=0)]
for row in ROWS:
    if row.run is None and row.name == "yama" and os.path.exists("/proc/sys/kernel/yama"):
        row.needs = lambda: "changing kernel.yama.ptrace_scope would change the whole machine"
