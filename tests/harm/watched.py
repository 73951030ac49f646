"""Services and test suites: many processes, each of which heaptop enters and leaves."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import look
import program
import service
import tool

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client.py")
SLICE_SECONDS, SLICES, CLIENTS = 1.5, 6, 2
# Noise is what slices without heaptop differ by; beyond this multiple of it is harm.
NOISE = 1.5
# When these slices differ by more among themselves, others keep the machine busy.
STEADY = 3
# What looks like harm is measured again so often: noise goes, harm stays.
AGAIN = 3
PAUSE = 0.03


def is_python(pid):
    try:
        with open("/proc/%d/maps" % pid) as file:
            return "python3" in file.read()
    except OSError:
        return False


def family(pid):
    """The Python processes among a process and its descendants."""
    return [one for one in [pid] + program.descendants(pid) if is_python(one)]


class Visitor(threading.Thread):
    """Enters and leaves one process of the family after the other until it is told to stop."""

    def __init__(self, cell, pid):
        super().__init__()
        self.cell, self.pid, self.over = cell, pid, threading.Event()
        self.rounds = 0

    def run(self):
        while not self.over.wait(PAUSE):
            some = family(self.pid)
            if not some:
                continue
            one = random.choice(some)
            made = tool.by_driver(one, 1)
            # A process of a suite may end at any moment; that is no round. One that lives
            # on was only waited for, as where the GIL is never free.
            if made.done or made.is_hung or is_python(one):
                self.cell.count(made)
                self.rounds += made.done

    def stop(self):
        self.over.set()
        self.join()


def ask(url, seconds=SLICE_SECONDS):
    done = subprocess.run([sys.executable, CLIENT, url, str(seconds), str(CLIENTS)],
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout.decode())


def middle(values):
    return sorted(values)[len(values) // 2]


def slices(cell, server, n):
    """With heaptop and without, in turns, so that both meet the same machine."""
    quiet, watched = [], []
    for turn in range(n):
        visitor = Visitor(cell, server.process.pid) if turn % 2 else None
        if visitor:
            visitor.start()
        try:
            (watched if visitor else quiet).append(ask(server.url("work")))
        finally:
            if visitor:
                visitor.stop()
    return quiet, watched


def medians(some, name):
    return [one[name] for one in some]


def is_steady(quiet):
    alone = medians(quiet, "p50")
    return max(alone) <= min(alone) * STEADY


def is_slower(quiet, watched):
    return is_steady(quiet) and (middle(medians(watched, "p50")) >
                                 max(medians(quiet, "p50")) * NOISE)


def compare(cell, quiet, watched):
    for name in ("p50", "p99"):
        alone, beside = medians(quiet, name), medians(watched, name)
        cell.figure("latency %s without and with heaptop, and how much the slices without "
                    "differ" % name, "%.2f and %.2f ms, %.2f times" % (
                        middle(alone) * 1e3, middle(beside) * 1e3, max(alone) / min(alone)))
    if not is_steady(quiet):
        cell.figure("latency p50 not judged", "the slices without heaptop differ too much")
    elif is_slower(quiet, watched):
        cell.harm("the median latency was %.2f ms, without heaptop at most %.2f ms" % (
            middle(medians(watched, "p50")) * 1e3, max(medians(quiet, "p50")) * 1e3))
    failures = [words for one in quiet + watched for words in one["failures"]]
    if failures:
        cell.harm("%d requests failed: %s" % (len(failures), failures[:3]))
    cell.figure("requests answered", sum(one["answered"] for one in quiet + watched))


def under_load(command, can_leave=True):
    """Where the GIL is never free the agent waits for it for ever, and is left."""
    def run(cell, rounds):
        server = service.Service(command)
        try:
            server.wait()
            workers = sorted(server.workers())
            before = {pid: look.Look(pid) for pid in family(server.process.pid)}
            quiet, watched = [], []
            # A slice visits some twenty times.
            times = max(1, round(rounds / 25))
            for turn in range(times + AGAIN):
                if turn >= times and not is_slower(quiet, watched):
                    break
                more = slices(cell, server, SLICES)
                quiet += more[0]
                watched += more[1]
            compare(cell, quiet, watched)
            if sorted(server.workers()) != workers:
                cell.harm("other workers serve now")
            for pid, was in before.items() if can_leave else ():
                cell.leftovers += look.settle(pid, was, False, False, 10)
        finally:
            status = server.close()
        if status != 0:
            cell.harm("the service ended with status %r" % status)
    return run


PYTESTS = """
import hashlib, time, pytest
@pytest.mark.parametrize("n", range(40))
def test_one(n):
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        assert hashlib.sha256(b"%d" % n).hexdigest() == hashlib.sha256(b"%d" % n).hexdigest()
"""


def pytest(cell, rounds):
    folder = tempfile.mkdtemp(prefix="harm-pytest-")
    try:
        with open(os.path.join(folder, "test_harm.py"), "w") as file:
            file.write(PYTESTS)
        process = subprocess.Popen(
            [service.PYTHON, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder)
        visitor = Visitor(cell, process.pid)
        visitor.start()
        try:
            out = process.communicate(timeout=120)[0].decode("utf-8", "replace")
        finally:
            visitor.stop()
        if process.returncode != 0 or not re.search(r"\b40 passed", out):
            cell.harm("pytest ended with %d: %s" % (process.returncode, out[-300:]))
    finally:  # its workers may still be ending in it
        shutil.rmtree(folder, ignore_errors=True)
