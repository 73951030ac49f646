"""What --tree costs: heaptop's share of a core with 8, 16, 32 forked workers, and how old the
figures of a worker become.

    make bench BENCH=tree

The first look at each is left out: the share is of what comes after all were walked and
compared once. It is of heaptop and all that it has started (helper, copiers). Every second worker works (it makes and drops objects), so that figures change.
"""
import os
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
LEAK = """
import time
os.write(1, b"%d\\n" % os.getpid())
kept = []
while True:
    kept.append(bytearray(512 << 10))
    time.sleep(1)
"""


def age_s(sample, row, name):
    return (fleet.seconds(sample["time"]) - fleet.seconds(row[name])) if row[name] else 0


def spent_s(pid):
    """Processor time of a process and of those below it."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rpartition(")")[2].split()
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            children = file.read().split()
    except FileNotFoundError:
        return 0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") + sum(spent_s(int(child)) for child in children)


def figures(workers):
    """CPU s of the first look at all, then the share of a core in per cent, the oldest RES,
    the oldest sample and the oldest walk of a worker in s."""
    with fleet.Forks(workers, OBJECTS, ["pass", WORK]) as service:
        with fleet.stream(service.pid, "-n", 1000) as stream:
            last = stream.next(timeout=300)
            began, first = time.monotonic(), spent_s(stream.process.pid)
            listed = sampled = walked = 0
            while time.monotonic() - began < SECONDS:
                last = stream.next(timeout=60)
                for row in last["processes"]:
                    listed = max(listed, age_s(last, row, "res_time"))
                    sampled = max(sampled, age_s(last, row, "sampled_time"))
                    walked = max(walked, age_s(last, row, "walked_time"))
            spent, elapsed = spent_s(stream.process.pid) - first, time.monotonic() - began
            return first, 100 * spent / elapsed, listed, sampled, walked


def seconds_to_mark(workers):
    """From the start of heaptop, and from the first look at all, until the one that leaks
    30 MiB a minute is marked; by what."""
    works = [LEAK] + [("pass", WORK)[i % 2] for i in range(workers - 1)]
    with fleet.Forks(workers, OBJECTS, works) as service:
        began, leaker = time.monotonic(), service.workers[0]
        with fleet.stream(service.pid, "-n", 1000) as stream:
            row = fleet.rows(stream.next(timeout=300))[leaker]
            first = time.monotonic()
            while not row["outlier"]:
                row = fleet.rows(stream.next(timeout=300))[leaker]
            return time.monotonic() - began, time.monotonic() - first, row["outlier"]["by"]


def measure():
    print("\n--tree of a forked service with %d objects, %d s after the first look at all:\n"
          % (OBJECTS, SECONDS))
    print("%8s %12s %12s %13s %16s %14s" % ("workers", "first CPU s", "% of a core",
                                            "oldest RES s", "oldest sample s", "oldest walk s"))
    for workers in WORKERS:
        print("%8d %12.2f %12.2f %13.1f %16.1f %14.1f" % ((workers,) + figures(workers)), flush=True)
    print("\nOne worker leaks 30 MiB a minute; it is marked after:\n")
    for workers in WORKERS:
        print("%8d workers: %.0f s, %.0f s after the first look at all, by %s"
              % ((workers,) + seconds_to_mark(workers)), flush=True)
