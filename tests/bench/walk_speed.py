"""How fast a walk is, beside a plain copy of the same bytes, and what it takes.

Ratios, so that they say the same on another machine. The bars are those of a good
implementation: one worker at most 3 times the copy, two at least 1.7 times faster than
one, a refresh at least 5 times cheaper, at most 7 bytes of memory a block, 20 times faster
than guppy3.
"""
import json
import os
import subprocess
import time

import heaptop
import target
import target_code

TIMES = 9
SECONDS = 120
MANY = 20000000  # from here on fewer turns

# Rows of a service's data: tuples, floats, dicts, strings and lists, mixed.
ROWS = '''
import gc
gc.disable()
kept = []
for i in range(N_OBJECTS * 10 // 11 // 10):
    row = {"id": i + 1000, "name": "name %d" % i, "tags": ["tag %d" % i], "at": (i * 1.5, i * 2.5)}
    kept.append(row)
    kept.append(i * 0.5)
'''

# The experiment with strings of all sizes, of which every second is kept.
STRINGS = '''
kept = []
for i in range(1, 100):
    some = [" " * i * 16 for _ in range(1000000 // i)]
    kept.extend(some[::2])
del some
'''

# Nearly all of it is in malloc's heap: bytes, items, long tuples and tables.
LARGE = '''
import gc
gc.disable()
kept = []
for i in range(150000):
    kept.append(bytes(600 + i * 37 % 3000))
    kept.append([None] * (80 + i % 100))
    kept.append(tuple([[]] + [None] * (70 + i % 50)))
    if i % 4 == 0:
        kept.append({n: None for n in range(40 + i % 60)})
'''


def programs(counts):
    for count in counts:
        yield "%s M objects" % format(count / 1e6, "g"), ROWS.replace("N_OBJECTS", str(count))
    yield "strings, each second dropped", STRINGS
    yield "large objects", LARGE
    yield "1 M instances", target_code.setup(1000000)


def bench_walk(pid, times):
    program = os.path.join(os.environ["BUILD_DIR"], "tests", "bench", "bench_walk")
    done = subprocess.run([program, str(pid), str(times)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode())


def peak_of_heaptop(pid):
    """Bytes at heaptop's peak, when it has walked and knows what a collection returns."""
    with heaptop.Stream(pid, "--agent=never") as stream:
        stream.until(lambda sample: sample["account"] and
                     sample["account"]["collect_trim_bytes"] is not None, SECONDS)
        with open("/proc/%d/status" % stream.process.pid) as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    return 0


def has_guppy(victim):
    return victim.ask("__import__('importlib.util').util.find_spec('guppy') is not None")


def guppy_ratios(victim, walk_ms):
    """How many walks one heap() takes: the first, and one that finds guppy's own tables made."""
    victim.tell("import guppy; heapy = guppy.hpy()", timeout=300)
    ratios = []
    for _ in range(2):
        began = time.monotonic()
        victim.tell("heapy.heap()", timeout=1000)
        ratios.append("%.1fx" % ((time.monotonic() - began) * 1e3 / walk_ms))
    return ", then ".join(ratios)


def twice_as_many(figures):
    """How much faster two workers are by the processor time that they took, shared evenly,
    where a busy machine gives the second no processor."""
    alone = figures["alone_least_ms"]
    shared = figures["walk_two_cpu_least_ms"] - alone
    return figures["walk_cpu_least_ms"] / (alone + shared / 2)


def print_one(name, victim, base):
    count = victim.ask("len(kept)")
    figures = bench_walk(victim.pid, 3 if count >= MANY // 8 else TIMES)
    peak = peak_of_heaptop(victim.pid)
    slower = figures["walk_least_ms"] / figures["copy_least_ms"]
    faster = figures["walk_least_ms"] / figures["walk_two_least_ms"]
    many = max(figures["blocks"], figures["objects"])  # a large object has no block
    guppy = guppy_ratios(victim, figures["walk_two_ms"]) if has_guppy(victim) else "skipped"
    print("%-29s %8.2f %8.1f %8.1f %8.1f %6.1f %6.2f %6.2f %6.2f %6.2f %6.2f %6.1f %6.1f %6.1f  %s" % (
        name, figures["objects"] / 1e6, figures["walk_ms"], figures["walk_two_ms"],
        figures["copy_ms"], figures["walk_least_ms"] * 1e6 / many, slower,
        figures["walk_cpu_least_ms"] / figures["copy_cpu_least_ms"], faster,
        twice_as_many(figures),
        figures["walk_cpu_least_ms"] / figures["refresh_cpu_least_ms"],
        figures["peak_bytes"] / many, (peak - base) / many, peak / 1e6, guppy), flush=True)


def measure(python, counts):
    with target.Target(python, "kept = []") as victim:
        base = peak_of_heaptop(victim.pid)
        if not has_guppy(victim):
            print("guppy3: skipped: not importable by %s" % python)
    print("\nA walk with one and with two workers, and process_vm_readv of the same bytes:\n"
          "medians of %d in turns; ns a block and ratios are of the least of each. one/copy and\n"
          "its CPU time, at most 3; one/two, at least 1.7, and by CPU time, as on a machine that has\n"
          "two processors free; one/refresh by CPU time, at least 5; bytes of the walk's own memory a\n"
          "block, or an object where there are more of those, at most 7; the same of all of heaptop at\n"
          "its peak, over what it takes for an interpreter that does nothing (%.1f MB, its libraries\n"
          "included), and that peak in MB; guppy3's heap(), at least 20 times two workers' walk. %s, load %.1f" % (
              TIMES, base / 1e6, python, os.getloadavg()[0]))
    print("%-29s %8s %8s %8s %8s %6s %6s %6s %6s %6s %6s %6s %6s %6s  %s" % (
        "", "M", "one ms", "two ms", "copy ms", "ns", "/copy", "CPU", "1/2", "CPU", "1/ref", "B", "peak", "MB", "guppy3"))
    for name, setup in programs(counts):
        with target.Target(python, setup, timeout=1000) as victim:
            print_one(name, victim, base)
