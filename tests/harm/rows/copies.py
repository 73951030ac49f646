"""heaptop has the agent make a sleeping copy of the target, and walks that."""
import os
import random
import subprocess
import time

import attach
import heaptop
import look
import tool
from row import EACH, Row

GROUP = "heaptop walks a sleeping copy of the target"
SECONDS = 2  # in which a copy must be gone when heaptop is
LIFE_MS = 60000
# Each checks its children, its signals, or what it computes.
WORKLOADS = [("forks.py", "any"), ("noisy.py",), ("threads.py", "locks")]


def copies(pid):
    found = []
    for tid in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, tid)) as file:
                children = file.read().split()
            found += [child for child in children
                      if open("/proc/%s/comm" % child).read().strip() == look.AGENTS_NAME]
        except OSError:
            pass  # a thread or a child that has just ended
    return found


def expect_no_copy(cell, it):
    deadline = time.monotonic() + SECONDS
    while copies(it.pid):
        if time.monotonic() > deadline:
            cell.leftovers.append("a copy of the target is left after %d s" % SECONDS)
            return
        time.sleep(0.01)


def walked(cell, it):
    """The whole of it, by the program itself."""
    process = subprocess.run([heaptop.program(), "--exact", "-o", "json", str(it.pid)],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=tool.DEADLINE)
    words = process.stderr.decode("utf-8", "replace").strip()
    cell.count(tool.Rounds(int(process.returncode == 0), words or None, False))


def killed(cell, it):
    """kill -9 while the copy is made or sleeps."""
    driver = attach.Driver(it.pid)
    opened = driver("open")
    cell.count(tool.Rounds(int(opened.get("ok", False)), opened.get("error"), False))
    driver.process.stdin.write("copy %d\n" % LIFE_MS)
    driver.process.stdin.flush()
    time.sleep(random.uniform(0, 0.1))
    driver.process.kill()
    driver.process.communicate()


def with_workloads(harm):
    def run(cell, rounds):
        for _ in range(rounds):
            name, *arguments = WORKLOADS[cell.turn % len(WORKLOADS)]
            cell.turn += 1
            with cell.start(name, *arguments) as it:
                before = look.first(it.pid)
                harm(cell, it)
                expect_no_copy(cell, it)
                cell.expect_released(it, before, is_steady=False)
                cell.expect_finish(it)
    return run


ROWS = [
    Row("copy", "exact snapshot", "a copy is made and walked", with_workloads(walked),
        short=EACH(1)),
    Row("copy-kill", "exact snapshot; threat 14", "kill -9 while the copy is made or sleeps",
        with_workloads(killed), weight=3, short=3),
]
