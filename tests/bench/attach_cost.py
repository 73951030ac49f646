"""What an attach costs the target, beside gdb on the same target in the same run.

The goals are those of a good implementation on an idle machine with two processors; the
column `load` is the machine's load average while a line was measured, because times on a
loaded machine say more about its scheduler than about heaptop.
"""
import os
import shutil
import subprocess
import time

import attach
import target
import target_code

ROUNDS = 100
GAP_RUNS = 7
COMPUTES = '''
def compute():
    x = 0
    while not ends:
        for k in range(10000):
            x = (x * 3 + k) & 0xffff
ends = []
threads = [threading.Thread(target=compute, daemon=True) for _ in range(N)]
for thread in threads:
    thread.start()
'''
# (words, threads that compute)
TARGETS = (("asleep", 0), ("computes in one thread", 1), ("computes in four threads", 4))
MEASURES = (("diverted", "one thread diverted", "median 400 us, max 10 ms"),
            ("attach", "attach, until the agent is ready", "median 5 ms asleep, 12 ms computing"),
            ("gil", "a sample holds the GIL", "under 100 us"),
            ("leave", "the agent leaves", "1 ms asleep, 6 ms computing"))


def load():
    return "%.1f" % os.getloadavg()[0]


def us(ns):
    return "%.0f" % (ns / 1000.0)


def rounds(victim):
    lines = attach.rounds(victim.pid, ROUNDS)
    return lines[-1] if lines and lines[-1].get("rounds") else None


def print_times(python):
    print("\nAttach, one sample, release: %d rounds each, in microseconds" % ROUNDS)
    print("%-24s %-34s %8s %8s %8s %5s  %s" % ("target", "", "median", "p99", "max", "load", "goal"))
    for words, n_threads in TARGETS:
        setup = "import threading\n" + COMPUTES.replace("range(N)", "range(%d)" % n_threads)
        with target.Target(python, setup) as victim:
            found = rounds(victim)
            if not found:
                print("%-24s no attach" % words)
                continue
            for name, label, goal in MEASURES:
                print("%-24s %-34s %8s %8s %8s %5s  %s" % (
                    words, label, us(found[name + "_median_ns"]), us(found[name + "_p99_ns"]),
                    us(found[name + "_max_ns"]), load(), goal))


def print_moments(python):
    """Each moment of src/attach/faultpoints.def after the one before it."""
    print("\nWhere the time of an attach goes, target asleep: medians of %d rounds, microseconds"
          % ROUNDS)
    with target.Target(python) as victim:
        lines = attach.rounds(victim.pid, ROUNDS, HEAPTOP_TIMES="1")
    moments = lines[-1].get("moments", []) if lines else []
    print("%-22s %8s %13s %8s %10s" % ("until", "time", "on processor", "worst", "new pages"))
    for name, wall, processor, worst, pages in moments:
        print("%-22s %8s %13s %8s %10d" % (name, us(wall), us(processor), us(worst), pages))


def print_memory(python):
    with target.Target(python) as victim:
        before, first = attach.outside(victim.pid), attach.rss_anon(victim.pid)
        with attach.Driver(victim.pid) as driver:
            if not driver("open").get("ok"):
                print("the agent did not get in")
                return
            driver("sample")
            while_in, inside = attach.outside(victim.pid), attach.rss_anon(victim.pid)
            began = os.times().elapsed, _cpu(victim.pid)
            driver("beat 3000")
            idle = (_cpu(victim.pid) - began[1]) / (os.times().elapsed - began[0])
            driver("close")
        after = attach.rss_anon(victim.pid)
    print("\nThe agent in a sleeping target: %+d KiB RssAnon while it is there (goal 64), %+d KiB "
          "after (goal 32);\n%+d threads, %+d descriptors, %.2f %% of a processor while idle "
          "(goal 0.05)" % (inside - first, after - first,
                           int(while_in["threads"]) - int(before["threads"]),
                           len(while_in["descriptors"]) - len(before["descriptors"]), idle * 100))


def _cpu(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def nothing(_pid):
    time.sleep(0.1)


def by_heaptop(pid):
    attach.rounds(pid, 1)


def by_gdb(pid):
    subprocess.run(["gdb", "-nx", "-batch", "-p", str(pid), "-ex", "call (int)getpid()", "-ex",
                    "detach"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def print_gaps(python):
    """The target spins on the clock; the longest gap is what it felt."""
    print("\nThe longest gap that a spinning target felt, of %d runs each (goal: median 0.7 ms)"
          % GAP_RUNS)
    print("%-34s %10s %10s %10s %6s" % ("", "tool ms", "gap ms", "worst ms", "load"))
    ways = [("nothing, for 100 ms", nothing), ("heaptop: attach, sample, release", by_heaptop)]
    if shutil.which("gdb"):
        ways.append(("gdb: attach, call getpid, detach", by_gdb))
    found = {words: [] for words, _way in ways}
    with target.Target(python, "import threading\n" + target_code.PROBE) as victim:
        for _ in range(GAP_RUNS):  # in turns, so that all meet the same machine
            for words, way in ways:
                victim.tell("probe_start()")
                time.sleep(0.1)
                began = time.monotonic()
                way(victim.pid)
                wall = time.monotonic() - began
                found[words].append((victim.ask("probe_stop()") / 1e6, wall * 1e3))
    for words, _way in ways:
        gaps, walls = sorted(gap for gap, _ in found[words]), sorted(w for _, w in found[words])
        print("%-34s %10.1f %10.2f %10.2f %6s" % (words, walls[len(walls) // 2],
                                                  gaps[len(gaps) // 2], gaps[-1], load()))
    if not shutil.which("gdb"):
        print("%-34s skipped: not installed" % "gdb")


def measure(python):
    print_times(python)
    print_moments(python)
    print_memory(python)
    print_gaps(python)
