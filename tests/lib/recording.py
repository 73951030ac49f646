"""What the tests of recordings have in common."""
import json
import os
import time

import heaptop

# Grows by a few objects all the time.
SETUP = """
import time, threading
class Entry:
    pass
kept = []
def grow():
    while True:
        kept.extend(Entry() for _ in range(20))
        time.sleep(0.01)
threading.Thread(target=grow, daemon=True).start()
"""
SAMPLES = 70  # more than from one key to the next


def replay(path, *more):
    return heaptop.run("-r", path, "-o", "json", *more)


def essence(line):
    """A sample without what depends on the samples before it, which may be lost."""
    sample = json.loads(line)
    return json.dumps({name: sample[name] for name in sample
                       if name not in ("verdicts", "events", "growth", "marks")})


def count(path):
    return len(replay(path).out.splitlines())


def wait_for_samples(path, wanted):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if os.path.exists(path) and count(path) >= wanted:
            return True
        time.sleep(0.05)
    return False
