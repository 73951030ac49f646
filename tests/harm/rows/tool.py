"""Something befalls heaptop while it attaches: the target must not notice."""
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

import heaptop
import look
import tool
from row import EACH, Row, few, minor, programs, works

GROUP = "Something befalls heaptop"
# (target, arguments, is it the same at every moment?)
WORKLOADS = [("noisy.py", [], False), ("forks.py", ["fork"], False),
             ("waits.py", ["read", "alone", "pipe"], False), ("threads.py", ["locks"], True)]
KILLS_AT_ONCE = look.AGENTS_AT_ONCE
# A moment that comes only when a thread is met in malloc or the like: many attaches are made.
RARE, MANY = ("judged_unsafe",), 100
IN_MALLOC = [("native.py", ["malloc", "1"], False), ("noisy.py", [], False)]


def with_workload(harm, workloads=WORKLOADS):
    """Each batch on the next workload: harm(cell, target, n) harms heaptop n times, or as often
    as it returns; then the agents must leave by themselves, the next attach must work, and the
    target must end well."""
    def run(cell, rounds):
        left = rounds
        while left > 0:
            target, arguments, is_steady = workloads[cell.turn % len(workloads)]
            n = min(left, KILLS_AT_ONCE)
            with cell.start(target, *arguments) as it:
                before = look.first(it.pid)
                made = harm(cell, it, n)
                cell.rounds += n if made is None else made
                if it.is_alive():
                    cell.expect_released(it, before, is_steady, was_killed=True)
                    again = tool.by_driver(it.pid, 1)
                    cell.inside += again.done
                    if again.is_hung:
                        cell.hang("the next heaptop does not end")
                    cell.expect_released(it, before, is_steady, was_killed=True)
                cell.expect_finish(it)
            left -= n
            cell.turn += 1
    return run


def at_points(points, action, prefix=()):
    """At one of these named moments, in the process that gets there."""
    def harm(cell, it, n):
        reached = 0
        for _ in range(n):
            point = random.choice(points)
            # A kill that was not reached has let heaptop attach and leave; try again.
            rounds = MANY if point in RARE and action == "kill" else 1
            driver = tool.start_driver(it.pid, rounds, prefix, "%s=%s" % (point, action))
            if tool.finish_driver(driver).is_hung:
                cell.hang("heaptop does not end after %s at %s" % (action, point))
            reached += action != "kill" or driver.returncode < 0
        return reached
    return with_workload(harm, IN_MALLOC if set(points) <= set(RARE) else WORKLOADS)


def at_random_times(cell, it, n):
    for _ in range(n):
        driver = tool.start_driver(it.pid, 1000)
        time.sleep(random.uniform(0.001, 0.060))
        tool.kill(driver)


def signalled(*numbers):
    """The program itself, in batch mode: it must end soon, by its own way out."""
    def harm(cell, it, n):
        for _ in range(n):
            number = random.choice(numbers)
            process = subprocess.Popen(
                [heaptop.program(), "-b", "-d", "0.2", "-n", "1000", str(it.pid)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.15))
            process.send_signal(number)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                cell.hang("heaptop does not end for signal %d" % number)
                tool.kill(process)
    return with_workload(harm)


def terminal_closed(cell, it, n):
    """The screen's terminal goes away, as when an ssh connection ends."""
    for _ in range(n):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(heaptop.program(), [heaptop.program(), str(it.pid)])
        end = time.monotonic() + random.uniform(0.05, 0.4)
        while time.monotonic() < end:
            time.sleep(0.02)
        os.close(terminal)
        deadline = time.monotonic() + 30
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                cell.hang("heaptop does not end when its terminal is closed")
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


def two_at_once(cell, it, n):
    """A second heaptop while the first is there, or is just being killed."""
    for _ in range(n):
        first = tool.start_driver(it.pid, 1000)
        time.sleep(random.uniform(0, 0.03))
        second = tool.start_driver(it.pid, 2)
        if random.random() < 0.5:
            time.sleep(random.uniform(0, 0.01))
        tool.kill(first)
        if tool.finish_driver(second).is_hung:
            cell.hang("the second heaptop does not end")


def starved(cell, rounds):
    """Two hogs for each processor, and heaptop at a lower priority than they."""
    hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"])
            for _ in range(2 * (os.cpu_count() or 1))]
    try:
        works("noisy.py", is_steady=False, tool_prefix=["nice", "-n", "10"])(cell, rounds)
    finally:
        for hog in hogs:
            tool.kill(hog)


def older_version(cell, rounds):
    """A heaptop of another version was killed in the stub; this one comes after it."""
    with tempfile.TemporaryDirectory() as folder:
        older = os.path.join(folder, "attach_driver")
        shutil.copy(tool.DRIVER, older)
        with open(older, "r+b") as file:
            text = file.read()
            other = re.sub(rb"haptop\d\d", b"haptop00", text)
            if other == text:
                cell.cannot = "the stub's magic is not found in the driver"
                return
            file.seek(0)
            file.write(other)

        def harm(cell_, it, n):
            for _ in range(n):
                environment = dict(os.environ, HEAPTOP_FAULT="registers_set=kill")
                done = subprocess.run([older, str(it.pid), "1"], env=environment,
                                      stdout=subprocess.DEVNULL, timeout=tool.DEADLINE)
                if done.returncode != -signal.SIGKILL:
                    cell_.harm("the older heaptop was not killed: %d" % done.returncode)
                cell_.count(tool.by_driver(it.pid, 1))
        with_workload(harm)(cell, rounds)


def disk_full(cell, it, n):
    for _ in range(n):
        with open("/dev/full", "w") as full:
            subprocess.run([heaptop.program(), "-b", "-n", "1", str(it.pid)], stdout=full,
                           stderr=subprocess.DEVNULL, timeout=tool.DEADLINE)


def witness(it):
    return subprocess.Popen([heaptop.program(), "--stacks=1", str(it.pid)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def witnessed(cell, it, n):
    """All threads are looked at again and again; those that run are stopped."""
    for _ in range(n):
        try:
            witness(it).wait(tool.DEADLINE)
        except subprocess.TimeoutExpired:
            cell.hang("heaptop does not end after a look at the stacks")


def witness_killed(cell, it, n):
    for _ in range(n):
        process = witness(it)
        time.sleep(random.uniform(0.01, 0.3))
        tool.kill(process)


POINTS = [name for name, _when in tool.fault_points()]

ROWS = [Row("kill-" + name.replace("_", "-"), "1; threat 14", "kill -9 when: " + when,
            at_points([name], "kill"), weight=2, short=0)
        for name, when in tool.fault_points()]  # tests/fault/t_attach_points is their short form
REMOTE = ["env", "HEAPTOP_VIA=remote"]
# The last one comes only when the main thread is blocked for seconds.
ROWS += [Row("kill-" + name.replace("_", "-"), "1; threat 14", "kill -9 when: " + when,
             at_points([name], "kill", REMOTE), on=minor(14), short=0)
         for name, when in tool.fault_points("remote") if name != "remote_taken_back"]
ROWS += [
    Row("kill-random", "2; threat 14", "kill -9 at a random moment of the attach",
        with_workload(at_random_times), weight=10, short=EACH(6)),
    Row("stop-short", "3", "SIGSTOP for 0.1 s at a random named moment",
        at_points(POINTS, "stop 100"), weight=2),
    Row("stop-diverted", "3", "SIGSTOP for 0.1 s while a thread is in the stub, and goes back alone",
        at_points(["diverted"], "stop 100"), weight=4),
    Row("stop-long", "3", "SIGSTOP for 3 s at a random named moment",
        at_points(POINTS, "stop 3000"), on=few, weight=0.5, short=0),
    Row("stop-30s", "3", "SIGSTOP for 30 s at a random named moment",
        at_points(POINTS, "stop 30000"), on=few, weight=0.2, short=0),
    Row("signals", "4", "SIGINT, SIGTERM or SIGHUP at a random moment",
        signalled(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)),
    Row("terminal", "4", "its terminal is closed", with_workload(terminal_closed), on=few),
    Row("two", "5", "a second heaptop, also while the first is killed",
        with_workload(two_at_once)),
    Row("starved", "6", "two hogs for each processor, heaptop at nice 10", starved, on=few,
        needs=programs("nice")),
    Row("few-descriptors", "7", "only 24 descriptors for heaptop",
        works("plain.py", may_refuse=True, tool_prefix=["prlimit", "--nofile=24", "--"]),
        on=few, needs=programs("prlimit")),
    Row("little-memory", "7", "only 40 MB of address space for heaptop",
        works("plain.py", may_refuse=True, tool_prefix=["prlimit", "--as=40000000", "--"]),
        on=few, needs=programs("prlimit")),
    Row("disk-full", "7", "its output has no room", with_workload(disk_full), on=few),
    Row("injector-crash", "8", "the injector crashes at a random named moment",
        at_points(POINTS, "crash"), weight=3, short=0),
    Row("witnessed", "3", "the stacks of all threads are looked at, again and again",
        with_workload(witnessed), weight=2, short=0),  # t_native_stacks is its short form
    Row("witness-killed", "1; threat 14", "kill -9 while it looks at the stacks of all threads",
        with_workload(witness_killed), weight=2),
    Row("older-version", "9", "after a heaptop of another version was killed in the stub",
        older_version, on=few),
]
