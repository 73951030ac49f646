"""The target ends, or becomes another program, while heaptop comes or is there."""
import random
import signal
import subprocess
import time

import tool
from row import EACH, Row, ends_inside, ends_racing

GROUP = "The target ends or executes another program"

# (how, its exit status, words)
ENDINGS = [
    ("return", 0, "returns from its main program"),
    ("exit", 5, "sys.exit(5)"),
    ("os_exit", 6, "os._exit(6)"),
    ("exception", 1, "an exception that nobody catches"),
    ("kill", -signal.SIGKILL, "SIGKILL"),
    ("segfault", -signal.SIGSEGV, "SIGSEGV"),
    ("terminate", 8, "SIGTERM with a handler"),
    ("finalizers", 0, "finalizers that take 100 ms"),
    ("exec", 9, "executes another program"),
    ("exec_thread", 9, "a thread executes another program"),
]


def short(how):
    return EACH(1) if how in ("exit", "finalizers", "exec") else 1


def starting(cell, rounds):
    """The attach begins at any moment of Python's own start."""
    for _ in range(rounds):
        process = subprocess.Popen(cell.interpreter.command
                                   + ["-c", "import json, time; time.sleep(0.1)"],
                                   stderr=subprocess.PIPE)
        time.sleep(random.uniform(0, 0.06))
        driver = tool.start_driver(process.pid, 2)
        try:
            errors = process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            cell.hang("the target does not end")
            tool.kill(process)
            errors = b""
        if process.returncode or errors:
            cell.harm("exit status %d: %s" % (process.returncode, errors[-300:]))
        made = tool.finish_driver(driver)
        if made.is_hung:
            cell.hang("heaptop does not end")
        cell.rounds += 1
        cell.inside += made.done > 0


ROWS = [Row("end-%s-inside" % how.replace("_", "-"), "10" if "exec" not in how else
            "11; threat 3", words + ", with the agent in it",
            ends_inside("ends.py", how, status), short=short(how)) for how, status, words in ENDINGS]
ROWS += [Row("end-%s-race" % how.replace("_", "-"), "10" if "exec" not in how else
             "11; threat 3", words + ", at a random moment of an attach",
             ends_racing("ends.py", how, status), short=short(how)) for how, status, words in ENDINGS]
ROWS += [Row("start", "10", "Python is just starting", starting, short=EACH(2))]
