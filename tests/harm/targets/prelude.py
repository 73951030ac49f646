# What every target begins with: it says "ready" once it knows its own truth, works until its
# input ends, and then says in one line of JSON what it found wrong with itself.
import ctypes
import gc
import hashlib
import json
import os
import select
import signal
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
_wrong, _at_first = [], {}


def wrong(words):
    if len(_wrong) < 20:
        _wrong.append(str(words)[:300])


def expect(condition, words):
    if not condition:
        wrong(words)
    return condition


def _signals():
    """What the program set: its mask, and what it does for each signal."""
    own = [signal.getsignal(n) for n in range(1, 32) if n not in (9, 19)]
    return {"mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "actions": own}


def cannot(reason):
    """This machine or interpreter has not what the row is about."""
    print("cannot: " + reason, flush=True)
    os._exit(0)


def ready():
    _at_first.update(_signals(), callbacks=len(gc.callbacks), enabled=gc.isenabled(),
                     threads=threading.active_count(), where=os.getcwd())
    print("ready", flush=True)


def is_over():
    """The test closes the input when the target has worked enough."""
    return bool(select.select([0], [], [], 0)[0])


def work(function, *arguments):
    """Calls until the work is over; how often."""
    turns = 0
    while not is_over():
        function(*arguments)
        turns += 1
    return turns


def finish(turns, status=0):
    now = dict(_signals(), enabled=gc.isenabled(), threads=threading.active_count(),
               where=os.getcwd())
    for name, value in now.items():
        expect(value == _at_first[name], "%s: %r, at first %r" % (name, value, _at_first[name]))
    deadline = time.monotonic() + 5  # an agent may still be leaving
    while len(gc.callbacks) != _at_first["callbacks"] and time.monotonic() < deadline:
        time.sleep(0.01)
    expect(len(gc.callbacks) == _at_first["callbacks"], "gc.callbacks: %r" % gc.callbacks)
    print(json.dumps({"wrong": _wrong, "turns": turns}), flush=True)
    if status:
        sys.exit(status)


def digest(n=60):
    """A known result: allocates, counts, and rounds floating-point numbers."""
    seen, x, table = hashlib.sha256(), 1.5, {}
    for i in range(n):
        x = (x * 1.000000119 + i / 3.0) % 1e6
        rows = [bytearray((i * 7 + k) % 900 + 1) for k in range(20)]
        table[i % 50] = (x, rows, {"a": i})
        seen.update(repr((i, x, sum(map(len, rows)), len(table))).encode())
    return seen.hexdigest()


DIGEST = digest()


def compute():
    expect(digest() == DIGEST, "a digest differs")


def nap_exactly(seconds):
    """time.sleep may come late on a busy machine, but never early."""
    began = time.monotonic()
    time.sleep(seconds)
    expect(time.monotonic() - began >= seconds * 0.999, "a sleep ended early")
