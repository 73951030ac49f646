"""A row of the table, and the usual ways to make one.

    ROWS = [Row("wait-poll", "15", "blocked in poll", works("waits.py", "poll"))]

A row's function gets a cell and a number of rounds, makes them, and tells the cell what it
saw (cell.py). `on` chooses among the interpreters that were found: `each`, `few` (where the
row is about the kernel or about heaptop rather than about Python), or `debian` (where it
needs packages). `needs` returns why the row can't run here, or None. `weight` multiplies the
rounds; at most `batch` are made before they are written down. `short` is what `make check` does: 0 leaves the row out, N makes N rounds on one of its
interpreters, EACH(N) on every one.
"""
import os
import random
import shutil
import subprocess
import time

import attach
import interpreters
import look
import tool


def each(found):
    return found


def few(found):
    """The oldest, the stripped one of the distribution, and the newest."""
    system = [i for i in found if i.path.startswith("/usr/bin/") and not i.root]
    by_age = sorted(found, key=lambda i: (i.version, i.is_debug))
    return list({i.name: i for i in by_age[:1] + system[:1] + by_age[-1:]}.values())


def debian(found):
    return [i for i in found if os.path.realpath(i.path) == os.path.realpath("/usr/bin/python3")
            and not i.root]


def free_threaded(_found):
    return interpreters.free_threaded()


def musl(_found):
    return interpreters.musl()


def minor(first):
    return lambda found: [i for i in found if i.minor >= first]


class EACH(int):
    """A number of rounds on every interpreter."""


class Row:
    def __init__(self, name, source, words, run, on=each, needs=None, weight=1.0, short=1,
                 batch=25):
        self.name, self.source, self.words, self.run = name, source, words, run
        self.on, self.needs, self.weight, self.short = on, needs, weight, short
        self.batch = batch


def cannot(name, source, words, reason):
    """A row that no machine like this one can run, in the table with its reason."""
    return Row(name, source, words, None, on=few, needs=lambda: reason)


# ---- what rows need -------------------------------------------------------------

def programs(*names):
    def check():
        absent = [name for name in names if not shutil.which(name)]
        return "%s is not installed" % ", ".join(absent) if absent else None
    return check


def root():
    return None if os.geteuid() == 0 else "only root can arrange it"


def root_and(*names):
    return lambda: root() or programs(*names)()


def files(*paths):
    def check():
        absent = [path for path in paths if not os.path.exists(path)]
        return "there is no %s" % absent[0] if absent else None
    return check


def python_modules(*names):
    def check():
        done = subprocess.run(["/usr/bin/python3", "-c", "import " + ", ".join(names)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return None if done.returncode == 0 else "/usr/bin/python3 has no %s" % ", ".join(names)
    return check


# ---- the usual ways -------------------------------------------------------------

MORE_ROUNDS = 3  # of who never got in: on a busy machine one may end for want of time


def works(target, *arguments, is_steady=True, may_refuse=False, only_refuses=None, tool_prefix=(),
          status=0, stub_may_stay=False, **how):
    """The target works while heaptop comes and goes, and must not notice.

    Where a refusal is as good as an attach, say may_refuse; where an attach would be wrong,
    only_refuses is a piece of the sentence that must come. Where a thread's own call may have
    to end in the stub (doc/attach.md, "What stays behind"), stub_may_stay."""
    def run(cell, rounds):
        with cell.start(target, *arguments, **how) as it:
            before = look.first(it.pid)
            cell.attach(it, rounds, tool_prefix)
            must_enter = only_refuses is None and not may_refuse
            for _ in range(MORE_ROUNDS):
                if must_enter and not cell.inside:
                    cell.attach(it, 1, tool_prefix)
            if only_refuses is not None:
                expect_refusal(cell, only_refuses)
            elif not cell.inside and not may_refuse:
                cell.hang("never got in: %r" % cell.refusals)
            cell.expect_released(it, before, is_steady, was_killed=stub_may_stay)
            cell.expect_finish(it, status)
    return run


def expect_refusal(cell, piece):
    if cell.inside:
        cell.harm("attached where it must stay out")
    for words in cell.refusals:
        if piece not in words:
            cell.harm("refused with %r, which does not say %r" % (words, piece))


def finish_by_itself(cell, target, status, seconds=60):
    """An ending that was begun from outside; killed by signal N is -N."""
    target.tell()
    found = target.wait(seconds)
    if found is None:
        cell.hang("the target does not end: %s" % target.where())
    elif found != status:
        cell.harm("exit status %r, not %r: %s" % (found, status, target.errors()[-300:]))
    elif target.errors().strip():
        cell.harm("printed %s" % target.errors().strip()[-300:])


def ends_inside(target, argument, status, **how):
    """The target ends with the agent in it, and heaptop must notice."""
    def run(cell, rounds):
        for _ in range(rounds):
            with cell.start(target, argument, **how) as it, attach.Driver(it.pid) as driver:
                opened = driver("open")
                cell.count(tool.Rounds(int(opened.get("ok", False)), opened.get("error"), False))
                driver("sample")
                finish_by_itself(cell, it, status)
                if opened.get("ok") and not is_lost(driver):
                    cell.hang("heaptop does not notice the end")
    return run


def is_lost(driver, seconds=10):
    deadline = time.monotonic() + seconds
    while driver("state").get("state") != "lost":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def wait_for_agent(pid, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if look.Look(pid).agents:
                return True
        except OSError:
            return False
    return False


def ends_racing(target, argument, status, within=0.1, **how):
    """The target ends at a random moment around an attach."""
    def run(cell, rounds):
        for _ in range(rounds):
            with cell.start(target, argument, **how) as it:
                driver = tool.start_driver(it.pid, 3)
                time.sleep(random.uniform(0, within))
                finish_by_itself(cell, it, status)
                made = tool.finish_driver(driver)
                if made.is_hung:
                    cell.hang("heaptop does not end")
                cell.rounds += 1
                cell.inside += made.done > 0
    return run
