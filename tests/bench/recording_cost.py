"""What a recording costs: bytes and CPU a sample, and a day of it to open and to jump in."""
import os
import shutil
import subprocess
import tempfile

import heaptop
import target

DAY = 43200  # samples, one every 2 s
REAL = 90

# Two thousand kinds, of which some tens change from sample to sample, as a service does.
SETUP = """
import random, threading, time
kinds = [type("Kind%d" % i, (), {}) for i in range(2000)]
kept = [[kind() for _ in range(20)] for kind in kinds]
def serve():
    chance = random.Random(1)
    while True:
        for _ in range(20):
            which = min(int(chance.expovariate(0.02)), 1999)
            kept[which].append(kinds[which]())
            if len(kept[which]) > 200:
                del kept[which][:150]
        time.sleep(0.02)
threading.Thread(target=serve, daemon=True).start()
"""


def figures(folder, python):
    real, day = (os.path.join(folder, name) for name in ("real.htr", "day.htr"))
    with target.Target(python, SETUP) as service:
        heaptop.run("-d", "0.5", "--walk", "0.5", "-n", REAL, "--agent=never", "-w", real,
                    service.pid, timeout=600)
    program = os.path.join(os.environ["BUILD_DIR"], "tests/bench/bench_recording")
    words = subprocess.run([program, real, day, str(DAY)], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2])}


def measure(python):
    folder = tempfile.mkdtemp(prefix="heaptop-bench-")
    try:
        found = figures(folder, python)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("recording: %d kinds, a walk with each of %d real samples" % (found["kinds"], REAL))
    print("  a sample: %d bytes packed, %d in the file (bar 3072)" % (
        found["packed_bytes"], found["file_bytes"] // found["samples"]))
    print("  CPU to encode and write it: %d us with one each second (bar 100), %d with one each "
          "two, %d with one each minute" % (found["write_1s_cpu_us"], found["write_2s_cpu_us"],
                                            found["write_alone_cpu_us"]))
    print("  a day at 2 s: %d samples, %.1f MB" % (found["samples"],
                                                   found["file_bytes"] / 1e6))
    for name, bar in ("open", "500"), ("find", "5"), ("jump", "50"):
        print("  %s: %.1f ms, at most %.1f (bar %s); %.1f ms of CPU, at most %.1f" % (
            (name, found[name + "_wall_us"] / 1e3, found[name + "_wall_most_us"] / 1e3, bar,
             found[name + "_cpu_us"] / 1e3, found[name + "_cpu_most_us"] / 1e3)))
