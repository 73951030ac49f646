"""What a hostile target, or another user, may try."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import heaptop
import look
import tool
from row import Row, few, root_and, wait_for_agent

GROUP = "Threats that concern the attach"

DECOY = r"""
#include <unistd.h>
int Py_IsInitialized(void) { return 1; }
int PyGILState_Ensure(void) { _exit(66); }
void *PyThreadState_New(void *x) { _exit(67); return x; }
int Py_Version = 1;
int main(void) { volatile char heap[4096] = "decoy"; (void)heap; for (;;) pause(); }
"""


def memory_hashes(pid):
    """Of each mapping that the process can write."""
    found = {}
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            words = line.split()
            if words[1].startswith("rw") and "[v" not in line:
                start, end = (int(word, 16) for word in words[0].split("-"))
                memory.seek(start)
                found[line.strip()] = hashlib.sha256(memory.read(end - start)).hexdigest()
    return found


def is_in_its_pause(pid):
    """In pause, nanosleep or clock_nanosleep: it has done all that it does."""
    with open("/proc/%d/syscall" % pid) as file:
        return file.read().split()[0] in ("34", "35", "230")


def expect_untouched(cell, command, rounds):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not is_in_its_pause(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        before = memory_hashes(process.pid)
        for _ in range(rounds):
            done = heaptop.run("-b", "-n", "1", process.pid)
            cell.rounds += 1
            if done.status != 5:
                cell.harm("exit status %d, not 5: %s" % (done.status, done.err))
            cell.count(tool.by_driver(process.pid, 1))
        if cell.inside:
            cell.harm("attached to a program that is not Python")
        if process.poll() is not None:
            cell.harm("the program ended")
            return
        after = memory_hashes(process.pid)
        for mapping in set(before) | set(after):
            if before.get(mapping) != after.get(mapping):
                cell.harm("the program was changed: %s" % mapping)
    finally:
        tool.kill(process)


def only_named(cell, rounds):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "python3.11")
        shutil.copy(shutil.which("sleep"), copy)
        expect_untouched(cell, [copy, "1000"], rounds)


def exports_names(cell, rounds):
    """A program that has Python's names and not its runtime; each of them ends it."""
    with tempfile.TemporaryDirectory() as folder:
        decoy = os.path.join(folder, "python3")
        try:
            subprocess.run(["cc", "-rdynamic", "-x", "c", "-", "-o", decoy], check=True,
                           input=DECOY.encode())
        except (OSError, subprocess.SubprocessError):
            cell.cannot = "no C compiler here"
            return
        expect_untouched(cell, [decoy], rounds)


def opens_nothing(cell, rounds):
    """With the agent in it the target has no new socket and no file of the file system."""
    with cell.start("plain.py") as it:
        before = look.Look(it.pid)
        driver = tool.start_driver(it.pid, rounds * 10)
        seen = set()
        wait_for_agent(it.pid)
        while driver.poll() is None:
            seen |= set(look._links(it.pid)) - set(before.descriptors)
        cell.count(tool.finish_driver(driver))
        for link in seen:
            if not link.startswith("/memfd:heaptop"):
                cell.harm("the target has a new descriptor: %s" % link)
        cell.expect_released(it, before)
        cell.expect_finish(it)


def reused(cell, rounds):
    """Both in a PID namespace of their own, where root can choose the next PID."""
    script = os.path.join(os.path.dirname(tool.__file__), "reuse.py")
    for _ in range(rounds):
        point = random.choice(tool.fault_points())[0]
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--",
                               sys.executable, script, cell.interpreter.path, point],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=200)
        cell.rounds += 1
        try:
            said = json.loads(done.stdout.decode())
        except ValueError:
            cell.hang("at %s: %s" % (point, done.stderr.decode()[-300:]))
            continue
        if said["is_hung"]:
            cell.hang("heaptop does not end at %s" % point)
        for words in said["wrong"]:
            cell.harm("at %s: %s" % (point, words))
        cell.leftovers += ["at %s: %s" % (point, words) for words in said["left"]]
        words = "the other process has the PID" if said["reused"] else \
            "the kernel keeps the PID while heaptop has the first process"
        cell.refusals[words] = cell.refusals.get(words, 0) + 1


def on_host(found):
    return few([i for i in found if not i.root])


ROWS = [
    Row("named-python", "threat 1", "a program that is only named python", only_named, on=few),
    Row("decoy", "threat 1", "a program that exports Python's names", exports_names, on=few),
    Row("no-socket", "threat 9", "no socket, path or port while attached", opens_nothing, on=few),
    Row("pid-reuse", "threat 2", "the PID is given to another process at each step", reused,
        on=on_host, needs=root_and("unshare"), weight=3, short=2),
]
