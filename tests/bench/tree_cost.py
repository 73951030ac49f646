"""What --tree costs: heaptop's share of a core with 8, 16, 32 forked workers, and how old the
figures of a worker become.

    make bench BENCH=tree

The first look at each is left out: the share is of what comes after all were walked and
compared once. Every second worker works (it makes and drops objects), so that figures change.
"""
import time

import fleet

WORKERS = (8, 16, 32)
OBJECTS = 20000
SECONDS = 60
WORK = """
import time
os.write(1, b"%d\\n" % os.getpid())
while True:
    kept = [Node(i) for i in range(2000)]
    time.sleep(0.2)
"""


def age_s(sample, row, name):
    return (fleet.seconds(sample["time"]) - fleet.seconds(row[name])) if row[name] else 0


def figures(workers):
    """CPU s of the first look at all, then the share of a core in per cent, the oldest sample
    and the oldest walk of a worker in s."""
    with fleet.Forks(workers, OBJECTS, ["pass", WORK]) as service:
        with fleet.stream(service.pid, "-n", 1000) as stream:
            first = last = stream.next(timeout=300)
            began = time.monotonic()
            sampled = walked = 0
            while time.monotonic() - began < SECONDS:
                last = stream.next(timeout=60)
                for row in last["processes"]:
                    sampled = max(sampled, age_s(last, row, "sampled_time"))
                    walked = max(walked, age_s(last, row, "walked_time"))
            spent = last["cost"]["cpu_s"] - first["cost"]["cpu_s"]
            elapsed = fleet.seconds(last["time"]) - fleet.seconds(first["time"])
            return first["cost"]["cpu_s"], 100 * spent / elapsed, sampled, walked


def measure():
    print("\n--tree of a forked service with %d objects, %d s after the first look at all:\n"
          % (OBJECTS, SECONDS))
    print("%8s %12s %14s %16s %14s" % ("workers", "first CPU s", "% of a core", "oldest sample s",
                                       "oldest walk s"))
    for workers in WORKERS:
        print("%8d %12.2f %14.2f %16.1f %14.1f" % ((workers,) + figures(workers)), flush=True)
