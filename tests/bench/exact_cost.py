"""What an exact snapshot costs the target: the pause while its sleeping copy is made, by
size, beside a bare fork of the same process.

By turns: what heaptop says (`stopped_s`, by the clock around the system call), what the
target feels (the longest time in which a thread that only looks at the clock did not run,
with a copy and without), and a fork whose child ends at once. On a busy machine a clock
tells of others, so the processor time of both is told, too: the pause where a processor is
free.
"""
import os
import statistics

import attach
import target
import target_code

SIZES = (64, 256, 1024)  # MiB
TURNS = 9
GOAL = "at most 30 us of pause per MiB"

# Pages of its own, touched, in blocks of a size that pymalloc gives out.
HEAP = '''
import threading
kept = [bytes(480) for _ in range(N_MIB * (1 << 20) // 512)]
def bare_fork():
    began, cpu = time.perf_counter_ns(), time.thread_time_ns()
    child = os.fork()
    if not child:
        os._exit(0)
    took = time.perf_counter_ns() - began, time.thread_time_ns() - cpu
    os.waitpid(child, 0)
    return took
'''


def anon_mib(pid):
    with open("/proc/%d/status" % pid) as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0


def agent_cpu_ns(victim, tid):
    """Run time of the agent's thread, from the scheduler."""
    with open("/proc/%d/task/%d/schedstat" % (victim.pid, tid)) as file:
        return int(file.read().split()[0])


def turn(victim, driver, tid):
    """All in us, in the order of the columns."""
    victim.tell("probe_start()")
    victim.tell("time.sleep(0.2)")
    quiet = victim.ask("probe_stop()")
    fork, fork_cpu = victim.ask("bare_fork()")
    victim.tell("probe_start()")
    before = agent_cpu_ns(victim, tid)
    made = driver("copy 20000")
    copy_cpu = agent_cpu_ns(victim, tid) - before
    felt = victim.ask("probe_stop()")
    if made.get("status") != 0:
        raise RuntimeError("no copy was made: %s" % made)
    driver("endcopy")
    return [ns / 1e3 for ns in (made["elapsed_ns"], felt, quiet, fork, copy_cpu, fork_cpu)]


def measure_one(python, mib):
    setup = HEAP.replace("N_MIB", str(mib)) + target_code.PROBE
    with target.Target(python, setup, timeout=300) as victim, \
            attach.Driver(victim.pid) as driver:
        threads = set(os.listdir("/proc/%d/task" % victim.pid))
        if not driver("open").get("ok"):
            print("exact: skipped: the agent could not be loaded")
            return
        tid = max(int(name) for name in set(os.listdir("/proc/%d/task" % victim.pid)) - threads)
        size = anon_mib(victim.pid)
        turns = [turn(victim, driver, tid) for _ in range(TURNS)]
        copy, felt, quiet, fork, copy_cpu, fork_cpu = map(sorted, zip(*turns))
        print("%8.0f %9.0f %9.0f %9.1f %9.0f %9.0f %9.0f %9.1f %9.1f %9.1f" % (
            size, copy[0], statistics.median(copy), copy[0] / size, felt[0], quiet[0], fork[0],
            fork[0] / size, statistics.median(copy_cpu) / size,
            statistics.median(fork_cpu) / size), flush=True)


def measure(python):
    print("\nThe pause of an exact snapshot, in us, least and median of %d; beside a bare fork\n"
          "of the same process in turns; %s. CPU: by processor time. %s, load %.1f" % (
              TURNS, GOAL, python, os.getloadavg()[0]))
    print("%8s %9s %9s %9s %9s %9s %9s %9s %9s %9s" % (
        "MiB", "least", "median", "per MiB", "felt", "no copy", "fork", "per MiB", "CPU copy",
        "CPU fork"))
    for mib in SIZES:
        measure_one(python, mib)
