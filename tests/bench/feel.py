"""What a target that computes feels of heaptop at the default interval.

One heaptop watches all the time and is stopped (SIGSTOP) for every other slice, so that a
slice with it and one without lie side by side and meet the same machine. The target counts
its own work per second of its own CPU time: others on the machine take its time away, but not
its work. What heaptop takes besides is told apart: the CPU time of the agent's thread inside
the target, and the longest gap. Of the pairs the median difference, with its interval of 95 %
by the ranks (no shape of the noise is assumed).
"""
import signal
import subprocess
import threading
import time

import heaptop
import target
import target_code

SLICE_S = 2.0  # the default interval: each slice with heaptop has a sample in it
PAIRS = 20
RATE_GOAL, GAP_GOAL_MS = "under 1 %", "under 10 ms"

# Work is counted in rounds; a round of the loop in C is one call of sum() over ints.
WORKER = '''
numbers = list(range(1000, 3000))

class Worker(threading.Thread):
    daemon = True

    def run(self):
        clock, add, data, in_c = time.perf_counter_ns, sum, numbers, IN_C
        self.ends, self.longest_ns, self.rounds = False, 0, 0
        last = clock()
        while not self.ends:
            if in_c:
                add(data)
            now = clock()
            if now - last > self.longest_ns:
                self.longest_ns = now - last
            last = now
            self.rounds += 1

    def look(self):
        """(rounds, longest gap since the last look, CPU time of this and of all threads)"""
        found = (self.rounds, self.longest_ns, time.clock_gettime_ns(self.clock),
                 time.process_time_ns())
        self.longest_ns = 0
        return found

worker = Worker()
worker.start()
worker.clock = time.pthread_getcpuclockid(worker.ident)
'''
LOOPS = (("a loop in Python", False), ("a loop in C that holds the GIL", True))


class Watcher:
    """heaptop with its output read, so that it never waits for us."""

    def __init__(self, pid):
        self.process = subprocess.Popen(
            [heaptop.program(), "-b", "-o", "json", "-n", "1000000", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.is_complete = threading.Event()
        self.thread = threading.Thread(target=self.drain, daemon=True)
        self.thread.start()

    def drain(self):
        for line in self.process.stdout:
            if b'"objects":{' in line:
                self.is_complete.set()

    def let(self, runs):
        self.process.send_signal(signal.SIGCONT if runs else signal.SIGSTOP)

    def end(self):
        self.let(True)
        self.process.terminate()
        self.process.wait(20)
        self.thread.join(5)
        self.process.stdout.close()


def slice_of(victim, watcher, runs):
    """Rounds per ms of the loop's CPU time; the gap in ms; the share of other threads."""
    watcher.let(runs)
    time.sleep(0.05)
    before = victim.ask("worker.look()")
    time.sleep(SLICE_S)
    after = victim.ask("worker.look()")
    own, whole = after[2] - before[2], after[3] - before[3]
    return ((after[0] - before[0]) / (own / 1e6), after[1] / 1e6, (whole - own) / whole)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[-1 - middle]) / 2


def interval(values):
    """Of the median: the ranks that hold it in 95 of 100 cases (binomial, p = 1/2)."""
    n = len(values)
    below, chance, term = 0, 0.0, 0.5 ** n
    while chance + term <= 0.025 and below < n // 2:
        chance += term
        term = term * (n - below) / (below + 1)
        below += 1
    ordered = sorted(values)
    first = max(0, below - 1)
    return ordered[first], ordered[n - 1 - first]


def print_row(words, unit, values, goal):
    low, high = interval(values)
    print("  %-46s %+8.2f %-3s (%+.2f to %+.2f)  goal %s" % (
        words, median(values), unit, low, high, goal))


def measure_loop(python, words, in_c, n_entries):
    setup = target_code.setup(n_entries) + WORKER.replace("IN_C", str(in_c))
    rates, gaps, others, worst = [], [], [], {False: 0.0, True: 0.0}
    with target.Target(python, setup, timeout=300) as victim:
        watcher = Watcher(victim.pid)
        try:
            if not watcher.is_complete.wait(120):
                print("%s: heaptop counted nothing within 120 s" % words)
                return
            for pair in range(PAIRS):
                order = (False, True) if pair % 2 else (True, False)
                found = {runs: slice_of(victim, watcher, runs) for runs in order}
                rates.append((found[True][0] / found[False][0] - 1) * 100)
                gaps.append(found[True][1] - found[False][1])
                others.append((found[True][2] - found[False][2]) * 100)
                for runs in order:
                    worst[runs] = max(worst[runs], found[runs][1])
        finally:
            watcher.end()
    print("%s, %s instances, %d pairs of slices of %.0f s:" % (
        words, format(n_entries, ","), PAIRS, SLICE_S))
    print_row("work per CPU time, with heaptop against without", "%", rates, "not below -1 %")
    print_row("CPU time of other threads of the target", "%", others, RATE_GOAL)
    print_row("longest gap of a slice", "ms", gaps, GAP_GOAL_MS)
    print("  %-46s %8.2f ms with, %.2f ms without" % (
        "longest gap of all slices", worst[True], worst[False]))


def measure(python, n_entries):
    print("\nWhat the target feels of heaptop at the default interval: median of the pairs' "
          "differences\n(interval of 95 %)")
    for words, in_c in LOOPS:
        measure_loop(python, words, in_c, n_entries)
