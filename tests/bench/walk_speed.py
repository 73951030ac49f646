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
SECONDS = 300
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

SHORT_STRINGS = '''
kept = ["name %d" % i for i in range(10000000)]
'''

# Nearly all of it is in malloc's heap: bytes, items, long tuples and tables.
LARGE = '''
import gc
gc.disable()
kept = []
for i in range(N_TURNS):
    kept.append(bytes(600 + i * 37 % 3000))
    kept.append([None] * (80 + i % 100))
    kept.append(tuple([[]] + [None] * (70 + i % 50)))
    if i % 4 == 0:
        kept.append({n: None for n in range(40 + i % 60)})
'''


def programs(counts):
    for count in counts:
        yield ("%s M objects" % format(count / 1e6, "g"),
               ROWS.replace("N_OBJECTS", str(count)), {})
    yield "strings, each second dropped", STRINGS, {}
    yield "10 M short strings", SHORT_STRINGS, {}
    yield "large objects", LARGE.replace("N_TURNS", "150000"), {}
    yield "large objects, five times", LARGE.replace("N_TURNS", "750000"), {}
    yield "1 M instances", target_code.setup(1000000), {}
    for allocator in ("malloc", "mimalloc"):
        yield ("the same, %s" % allocator, target_code.setup(1000000),
               {"PYTHONMALLOC": allocator})


def takes(python, env):
    """Has this interpreter the allocator that is named?"""
    try:
        with target.Target(python, "kept = []", env=env):
            return True
    except target.TargetError:
        return False


def bench_walk(pid, times):
    program = os.path.join(os.environ["BUILD_DIR"], "tests", "bench", "bench_walk")
    done = subprocess.run([program, str(pid), str(times)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode())


def knows_all(sample):
    """Has it walked, and does it know what a collection returns? Without arenas it never does."""
    return sample["account"] and sample["objects"] and (
        sample["account"]["collect_trim_bytes"] is not None or
        not sample["objects"]["walk"]["arenas"])


def peak_of_heaptop(pid):
    """Bytes at heaptop's peak, when it knows all that it will."""
    with heaptop.Stream(pid, "--agent=never") as stream:
        stream.until(knows_all, SECONDS)
        with open("/proc/%d/status" % stream.process.pid) as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    return 0


def has_guppy(victim):
    return victim.ask("__import__('importlib.util').util.find_spec('guppy') is not None")


def guppy_ratios(victim, figures):
    """How many walks of two workers one heap() takes: the first, and one that finds guppy's own
    tables made; how many copies by two threads, which no walk that reads all can exceed; and
    how many refreshes by one worker the second takes, as heaptop, too, goes on from what it
    found the first time."""
    victim.tell("import guppy; heapy = guppy.hpy()", timeout=300)
    ratios = []
    for _ in range(2):
        began = time.monotonic()
        victim.tell("heapy.heap()", timeout=1000)
        guppy_ms = (time.monotonic() - began) * 1e3
        ratios.append("%.1fx of %.0f" % (guppy_ms / figures["walk_two_ms"],
                                         guppy_ms / figures["copy_two_ms"]))
    return ", then ".join(ratios) + ", %.1fx" % (guppy_ms / figures["refresh_ms"])


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
    guppy = "skipped"
    if has_guppy(victim):
        guppy = guppy_ratios(victim, figures)
    print("%-29s %8.2f %8.1f %8.1f %8.1f %6.1f %6.2f %6.2f %6.2f %6.2f %6.2f %6.1f %6.1f %6.1f %6.1f  %s" % (
        name, figures["objects"] / 1e6, figures["walk_ms"], figures["walk_two_ms"],
        figures["copy_ms"], figures["walk_least_ms"] * 1e6 / many, slower,
        figures["walk_cpu_least_ms"] / figures["copy_cpu_least_ms"], faster,
        twice_as_many(figures),
        figures["walk_cpu_least_ms"] / figures["refresh_cpu_least_ms"],
        figures["peak_bytes"] / many, (figures["peak_bytes"] - base["walk"]) / many,
        (peak - base["heaptop"]) / many, peak / 1e6, guppy), flush=True)


def measure(python, counts):
    with target.Target(python, "kept = []") as victim:
        base = {"heaptop": peak_of_heaptop(victim.pid),
                "walk": bench_walk(victim.pid, 1)["peak_bytes"]}
        if not has_guppy(victim):
            print("guppy3: skipped: not importable by %s" % python)
    print("\nA walk with one and with two workers, and process_vm_readv of the same bytes:\n"
          "medians of %d in turns; ns a block and ratios are of the least of each. one/copy and\n"
          "its CPU time, at most 3; one/two, at least 1.7, and by CPU time, as on a machine that has\n"
          "two processors free; one/refresh by CPU time, at least 5; bytes of the walk's own memory a\n"
          "block, or an object where there are more of those, at most 7; the same over the %.1f MB that\n"
          "a walk of an interpreter that does nothing takes, which is what one more object costs; the\n"
          "same of all of heaptop at its peak, over what it takes for such an interpreter (%.1f MB, its\n"
          "libraries included), and that peak in MB; guppy3's heap(), at least 20 times two workers'\n"
          "walk, of as many copies of the same bytes by two threads: the first, then the next, and that\n"
          "one beside a refresh. %s, load %.1f" % (
              TIMES, base["walk"] / 1e6, base["heaptop"] / 1e6, python, os.getloadavg()[0]))
    print("%-29s %8s %8s %8s %8s %6s %6s %6s %6s %6s %6s %6s %6s %6s %6s  %s" % (
        "", "M", "one ms", "two ms", "copy ms", "ns", "/copy", "CPU", "1/2", "CPU", "1/ref", "B", "more", "peak", "MB", "guppy3"))
    for name, setup, env in programs(counts):
        if "PYTHONMALLOC" in env and not takes(python, env):
            print("%-29s skipped: %s has no such allocator" % (name, python))
            continue
        with target.Target(python, setup, env=env, timeout=1000) as victim:
            print_one(name, victim, base)
