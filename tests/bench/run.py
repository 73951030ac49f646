#!/usr/bin/env python3
"""Measures heaptop beside its peers on one target in one run, and prints tables.

    make bench [BENCH="--entries 1000000 --big 1000"] [BENCH=attach]
    make bench BENCH="walk --objects 1000000 10000000 50000000"

All ways to count the objects of a target run on the same process, one after the
other. What the target felt is measured by the target: a thread that looks at
the clock all the time and remembers the longest time between two looks.
"""
import argparse
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import account
import attach_cost
import attach_service
import exact_cost
import feel
import heaptop
import protect_cost
import recording_cost
import screen
import target
import target_code
import tree_cost
import walk_speed

REPEATS = 5


def status_bytes(pid, name):
    with open("/proc/%d/status" % pid) as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Outcome:
    def __init__(self, wall, cpu, bytes_=None, note=""):
        self.wall, self.cpu, self.bytes, self.note = wall, cpu, bytes_, note
        self.pause = self.worst_pause = self.added = None


def measure(victim, function):
    """Runs the function while the target's probe runs; fills pause and memory."""
    outcomes = []
    for _ in range(REPEATS):
        victim.tell("gc.collect()")
        with open("/proc/%d/clear_refs" % victim.pid, "w") as file:
            file.write("5")  # resets the peak of RES
        before = status_bytes(victim.pid, "VmRSS")
        victim.tell("probe_start()")
        time.sleep(0.3)
        outcome = function(victim)
        outcome.pause = victim.ask("probe_stop()") / 1e9
        outcome.added = max(0, status_bytes(victim.pid, "VmHWM") - before)
        outcomes.append(outcome)
    outcomes.sort(key=lambda outcome: outcome.wall)
    middle = outcomes[len(outcomes) // 2]
    pauses = sorted(outcome.pause for outcome in outcomes)
    middle.pause, middle.worst_pause = pauses[len(pauses) // 2], pauses[-1]
    middle.added = max(outcome.added for outcome in outcomes)
    return middle


def run_child(*command):
    began = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        raise RuntimeError("%s: wait status %d" % (" ".join(command), status))
    return out, Outcome(time.monotonic() - began, usage.ru_utime + usage.ru_stime)


# ---- the ways to count ----------------------------------------------------------

def nothing(victim):
    time.sleep(1)
    return Outcome(1.0, 0.0)


def heaptop_with(agent):
    def run(victim):
        out, outcome = run_child(heaptop.program(), "-b", "-o", "json", "-n", "1",
                                 "--agent=" + agent, str(victim.pid))
        sample = json.loads(out.decode().splitlines()[-1])
        walk = sample["objects"]["walk"]
        count = heaptop.kinds(sample)["__main__.Entry"]["count"]
        outcome.bytes = walk["read_bytes"]
        outcome.note = "walk alone %.3f s, %s objects, %s Entry" % (
            walk["seconds"], format(sample["objects"]["count"], ","), format(count, ","))
        return outcome
    return run


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def copy_memory(n_bytes):
    """process_vm_readv alone, of as many bytes as heaptop read, 1 MiB a call."""
    def run(victim):
        libc = ctypes.CDLL(None, use_errno=True)
        ranges = []
        with open("/proc/%d/maps" % victim.pid) as file:
            for line in file:
                fields = line.split()
                if fields[1].startswith("rw") and len(fields) == 5:
                    first, last = (int(word, 16) for word in fields[0].split("-"))
                    ranges.append((last - first, first))
        buffer = ctypes.create_string_buffer(1 << 20)
        left, began, cpu = n_bytes, time.monotonic(), time.process_time()
        for length, address in sorted(ranges, reverse=True):
            at = 0
            while at < length and left > 0:
                piece = min(1 << 20, length - at, left)
                local = Iovec(ctypes.cast(buffer, ctypes.c_void_p), piece)
                remote = Iovec(address + at, piece)
                done = libc.process_vm_readv(victim.pid, ctypes.byref(local), 1,
                                             ctypes.byref(remote), 1, 0)
                if done <= 0:
                    break
                at += done
                left -= done
        return Outcome(time.monotonic() - began, time.process_time() - cpu,
                       n_bytes - left, "" if left <= 0 else "fewer bytes than the walk")
    return run


def inside(expression, note=""):
    def run(victim):
        wall, cpu = victim.ask("measured(lambda: %s)" % expression, timeout=300)
        return Outcome(wall, cpu, note=note)
    return run


def gdb_attach(victim):
    _out, outcome = run_child("gdb", "-nx", "-batch", "-p", str(victim.pid), "-ex", "detach")
    outcome.note = "counts nothing: attach and detach only"
    return outcome


def size_words(n_bytes):
    if n_bytes is None:
        return "-"
    for unit in ("B", "K", "M"):
        if n_bytes < 1024:
            return "%.4g%s" % (n_bytes, unit)
        n_bytes /= 1024
    return "%.4gG" % n_bytes


def print_row(name, outcome):
    print("%-34s %8.3f %8.3f %9.1f %9.1f %9s %9s  %s" % (
        name, outcome.wall, outcome.cpu, outcome.pause * 1e3, outcome.worst_pause * 1e3,
        size_words(outcome.added), size_words(outcome.bytes), outcome.note))
    sys.stdout.flush()


def has_module(victim, name):
    return victim.ask("__import__('importlib.util').util.find_spec(%r) is not None" % name)


def compare(python, n_entries):
    print("\nCounting all objects by kind: %s, %s instances; of %d runs the median of wall\n"
          "time with its CPU time, the median and the worst of the longest pause of each run,\n"
          "and the most memory added to the target"
          % (python, format(n_entries, ","), REPEATS))
    print("%-34s %8s %8s %9s %9s %9s %9s" % ("", "wall s", "CPU s", "pause ms", "worst ms",
                                             "added", "read"))
    with target.Target(python, target_code.setup(n_entries), timeout=300) as victim:
        print_row("nothing, for 1 s", measure(victim, nothing))
        outside = measure(victim, heaptop_with("never"))
        print_row("heaptop --agent=never", outside)
        print_row("heaptop", measure(victim, heaptop_with("auto")))
        print_row("process_vm_readv of the same bytes",
                  measure(victim, copy_memory(outside.bytes)))
        print_row("gc.get_objects() and Counter", measure(
            victim, inside("count_by_gc()", "tracked objects only")))
        for module, expression, note in (
                ("objgraph", "__import__('objgraph').typestats()", "tracked objects only"),
                ("guppy", "__import__('guppy').hpy().heap()", "guppy3"),
                ("pympler", "__import__('pympler.summary').summary.summarize("
                            "__import__('pympler.muppy').muppy.get_objects())", "")):
            if has_module(victim, module):
                print_row(module, measure(victim, inside(expression, note)))
            else:
                print("%-34s skipped: not importable by %s" % (module, python))
        if shutil.which("gdb"):
            print_row("gdb attach, detach", measure(victim, gdb_attach))
        else:
            print("%-34s skipped: not installed" % "gdb")


# ---- what a user feels ----------------------------------------------------------

def is_complete(text):
    return "__main__.Entry" in text and re.search(r"walk [\d.]+ ?m?s", text)


def first_screen(python, megabytes):
    n_entries = entries_of(megabytes)
    with target.Target(python, target_code.setup(n_entries), timeout=300) as victim:
        rss = status_bytes(victim.pid, "VmRSS")
        with screen.Screen("%s %d" % (heaptop.program(), victim.pid)) as terminal:
            seconds = terminal.until(is_complete, 60)
            print("first complete screen, RES %s: %s" % (
                size_words(rss), "%.2f s" % seconds if seconds else "not within 60 s"))


def entries_of(megabytes):
    """About as many instances as make a heap of that size."""
    return megabytes * 1000000 // 190


def key_latency(python, megabytes):
    n_entries = entries_of(megabytes)
    with target.Target(python, target_code.setup(n_entries), timeout=600) as victim:
        rss = status_bytes(victim.pid, "VmRSS")
        with screen.Screen("%s %d" % (heaptop.program(), victim.pid)) as terminal:
            if terminal.until(lambda text: "Overview" in text, 60) is None:
                print("key latency: no screen within 60 s")
                return
            late = []
            # The first walk is still going on, and Space begins the next ones.
            for turn in range(20):
                tab = ("2", "Types") if turn % 2 == 0 else ("3", "Sizes")
                shown = re.compile(r"\[%s %s\]" % tab)
                seconds = terminal.key(tab[0], shown.search)
                late.append(5.0 if seconds is None else seconds)
                if turn % 4 == 3:
                    terminal.tmux("send-keys", "Space")
            late.sort()
            print("key to screen while %s is walked: median %.0f ms, longest of %d %.0f ms "
                  "(the terminal's own part included)" % (
                      size_words(rss), late[len(late) // 2] * 1e3, len(late), late[-1] * 1e3))
            terminal.until(is_complete, 60)
            pid = terminal.pid()
            print("heaptop's own RES with that target: %s, at its peak %s" % (
                size_words(status_bytes(pid, "VmRSS")), size_words(status_bytes(pid, "VmHWM"))))


def idle_share(python):
    demo = os.path.join(HERE, "..", "..", "demo", "service.py")
    service = subprocess.Popen([python, "-B", demo, "--rate", "0"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    try:
        pid = int(service.stdout.readline())
        with screen.Screen("%s %d" % (heaptop.program(), pid)) as terminal:
            terminal.until(lambda text: "shop.Session" in text, 30)
            time.sleep(3)
            own = terminal.pid()
            before, began = cpu_seconds(own), time.monotonic()
            their = cpu_seconds(pid)
            time.sleep(20)
            seconds = time.monotonic() - began
            print("idle demo service at the default interval: heaptop uses %.2f %% of a core, "
                  "the service %.2f %%; heaptop's RES %s" % (
                      (cpu_seconds(own) - before) / seconds * 100,
                      (cpu_seconds(pid) - their) / seconds * 100,
                      size_words(status_bytes(own, "VmRSS"))))
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", default="/usr/bin/python3", help="runs the targets")
    parser.add_argument("--entries", type=int, default=1000000, help="instances (1000000)")
    parser.add_argument("--heap", type=int, default=200, help="MB for the first screen (200)")
    parser.add_argument("--big", type=int, default=1000, help="MB for the keys (1000)")
    parser.add_argument("--strings", type=int, default=2040816,
                        help="of the fragmentation that is accounted for (2040816: 1.6 GB)")
    parser.add_argument("parts", nargs="*",
                        help="walk, compare, first, keys, idle, feel, attach, service, exact,"
                             " protect, recording, tree, account, predictions (all)")
    parser.add_argument("--objects", type=int, nargs="+", default=[1000000, 10000000],
                        help="objects that are walked (1000000 10000000)")
    arguments = parser.parse_args()
    if not heaptop.is_built():
        sys.exit("bench: %s is not built: run make" % heaptop.program())
    has_tmux = shutil.which("tmux") is not None
    parts = [("walk", lambda: walk_speed.measure(arguments.python, arguments.objects), True),
             ("compare", lambda: compare(arguments.python, arguments.entries), True),
             ("first", lambda: first_screen(arguments.python, arguments.heap), has_tmux),
             ("keys", lambda: key_latency(arguments.python, arguments.big), has_tmux),
             ("idle", lambda: idle_share(arguments.python), has_tmux),
             ("feel", lambda: feel.measure(arguments.python, entries_of(200)), True),
             ("attach", lambda: attach_cost.measure(arguments.python), True),
             ("service", attach_service.measure, True),
             ("exact", lambda: exact_cost.measure(arguments.python), True),
             ("protect", lambda: protect_cost.measure(arguments.python), True),
             ("recording", lambda: recording_cost.measure(arguments.python), True),
             ("tree", tree_cost.measure, True),
             ("account", lambda: account.close(arguments.python, arguments.strings), True),
             ("predictions", lambda: account.predict(arguments.python, arguments.strings),
              True)]
    unknown = set(arguments.parts) - {name for name, _part, _is_possible in parts}
    if unknown:
        parser.error("there is no part %s" % ", ".join(sorted(unknown)))
    for name, part, is_possible in parts:
        if arguments.parts and name not in arguments.parts:
            continue
        if not is_possible:
            print("%s: skipped: tmux is not installed" % name)
            continue
        part()


if __name__ == "__main__":
    main()
