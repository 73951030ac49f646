"""The target lives within limits: memory, descriptors, threads, system calls."""
import contextlib
import os
import time

import look
import tool
from row import Row, cannot, expect_refusal, few, root, works

GROUP = "Limits"
CGROUPS = "/sys/fs/cgroup"


def limits(kind, left=None, **more):
    return works("limits.py", kind, *([] if left is None else [left]), **more)


def seccomp(action, *calls):
    return works("seccomp.py", action, *calls, may_refuse=True)


def strict(cell, rounds):
    """Strict mode leaves read, write and exit: any other call would kill the target."""
    with cell.start("seccomp.py", "strict") as it:
        deadline = time.monotonic() + 10
        while look._fields(look._read("/proc/%d/status" % it.pid))["Seccomp"] != "1":
            if time.monotonic() > deadline:
                cell.cannot = "strict mode could not be entered"
                return
        cell.attach(it, rounds)
        expect_refusal(cell, "seccomp")
        if not it.is_alive():
            cell.harm("the target was killed")


@contextlib.contextmanager
def cgroup(controller, settings):
    """A group of the old or the new kind; yields a function that moves a process into it."""
    old = os.path.join(CGROUPS, controller)
    folder = os.path.join(old if os.path.isdir(old) else CGROUPS, "heaptop-harm-%d" % os.getpid())
    os.mkdir(folder)
    try:
        for name, value in settings.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(value)

        def move(pid):
            with open(os.path.join(folder, "cgroup.procs"), "w") as file:
                file.write(str(pid))
        yield folder, move
    finally:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                os.rmdir(folder)
                break
            except OSError:
                time.sleep(0.05)


def old_cgroups(controller):
    def check():
        if os.geteuid():
            return "only root can make a control group"
        if not os.path.isdir(os.path.join(CGROUPS, controller)):
            return "no control groups of the first version for %s here" % controller
        return None
    return check


def few_tasks(cell, rounds):
    with cell.start("plain.py") as it:
        with cgroup("pids", {"pids.max": "1"}) as (_folder, move):
            move(it.pid)
            before = look.Look(it.pid)
            cell.attach(it, rounds)
            expect_refusal(cell, "thread")
            cell.expect_released(it, before)
            cell.expect_finish(it)


def little_memory(cell, rounds):
    """At its limit the group reclaims; the kernel may not kill the target for the agent."""
    with cell.start("plain.py") as it:
        with cgroup("memory", {}) as (folder, move):
            move(it.pid)
            with open(os.path.join(folder, "memory.usage_in_bytes")) as file:
                used = int(file.read())
            with open(os.path.join(folder, "memory.limit_in_bytes"), "w") as file:
                file.write(str(used + (2 << 20)))
            before = look.Look(it.pid)
            cell.attach(it, rounds)
            cell.expect_released(it, before)
            cell.expect_finish(it)


def little_time(cell, rounds):
    """The target gets 5 % of a processor."""
    with cell.start("plain.py") as it:
        settings = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "5000"}
        with cgroup("cpu", settings) as (_folder, move):
            move(it.pid)
            before = look.Look(it.pid)
            cell.attach(it, max(1, rounds // 2))
            cell.expect_released(it, before)
            cell.expect_finish(it)


def frozen(cell, rounds):
    with cell.start("plain.py") as it:
        with cgroup("freezer", {}) as (folder, move):
            move(it.pid)
            before = look.Look(it.pid)
            state = os.path.join(folder, "freezer.state")
            for word in ("FROZEN", "THAWED"):
                with open(state, "w") as file:
                    file.write(word)
                if word == "FROZEN":
                    cell.count(tool.by_driver(it.pid, 1))
                    if cell.inside:
                        cell.harm("attached to a frozen process")
            cell.attach(it, rounds)
            cell.expect_released(it, before)
            cell.expect_finish(it)


ROWS = [Row("address-space-%s" % words.replace(" ", ""), "21", "RLIMIT_AS with %s left" % words,
            limits("address_space", left, may_refuse=True), on=few)
        for left, words in ((0, "nothing"), (200 << 10, "200 KB"), (1 << 20, "1 MB"),
                            (10 << 20, "10 MB"))]
ROWS += [
    Row("no-descriptors", "21", "no descriptor free", limits("descriptors")),
    Row("no-threads", "21", "RLIMIT_NPROC reached", limits("threads", only_refuses="thread"),
        on=few, needs=root),
    Row("pids-max", "21", "pids.max reached", few_tasks, on=few, needs=old_cgroups("pids")),
    Row("memory-limit", "21", "memory group 2 MB below its limit", little_memory, on=few,
        needs=old_cgroups("memory")),
    Row("cpu-quota", "6", "the target has 5 % of a processor", little_time, on=few,
        needs=old_cgroups("cpu"), weight=0.5),
    Row("frozen", "threat 15", "a frozen group, then thawed", frozen, on=few,
        needs=old_cgroups("freezer"), weight=0.5),
    cannot("overcommit", "21", "vm.overcommit_memory=2",
           "a setting of the whole machine that others share"),
    Row("file-size", "21", "RLIMIT_FSIZE 0", limits("files"), on=few),
    Row("nice", "6", "the target is at nice 19", limits("nice"), on=few),
    Row("sched-idle", "6", "the target is SCHED_IDLE", limits("cpu_idle"), on=few),
    Row("sched-rr", "6", "the target has real-time priority", limits("real_time"), on=few,
        needs=root),
    Row("mdwe", "22", "PR_SET_MDWE: no new executable memory",
        limits("mdwe", may_refuse=True), on=few),
    Row("no-new-privs", "22", "no_new_privs", limits("no_new_privs"), on=few),
    Row("seccomp-strict", "22", "strict seccomp", strict, on=few),
]
for action in ("kill", "errno"):
    ROWS += [Row("seccomp-%s-%s" % (action, call.replace("_", "-")), "22",
                 "a filter answers %s with %s" % (call, action), seccomp(action, call), on=few)
             for call in ("memfd_create", "clone3", "clone", "futex", "mmap", "munmap", "madvise",
                          "mprotect", "rseq", "prctl", "sched_setscheduler", "pidfd_open")]
