"""Does the account close, and do its predictions come true? Programs whose memory lies in
different places; each is asked about, and then made to give back what was predicted."""
import os
import threading
import time
import urllib.request

import heaptop
import service
import target

MIB = 1 << 20

TRUTH = '''
import ctypes
libc = ctypes.CDLL(None)
def res():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def returned(collects):
    before = res()
    if collects:
        gc.collect()
    libc.malloc_trim(0)
    return before - res()
res()
'''

# Strings of 0 to 1,568 bytes, 1.6 GB of them, of which every second one stays.
SEED = '''
kept = [" " * (i % 99 * 16) for i in range(STRINGS)][::2]
'''

# ... and then nearly none: what is left lies on top of what is free.
SEED_DROPPED = SEED + '''
few = kept[::len(kept) // 29]
del kept
'''

INSTANCES = '''
class Entry:
    def __init__(self, number):
        self.number, self.name = number + 100000, "entry %d" % number
kept = [Entry(number) for number in range(1000000)]
'''

PANDAS = '''
import numpy, pandas
frame = pandas.DataFrame({"key": numpy.arange(400000) % 1000, "value": numpy.random.rand(400000),
                          "text": ["row %d" % (n % 5000) for n in range(400000)]})
groups = [frame.groupby("key").value.mean(), frame.text.value_counts()]
parts = [frame[frame.key == key].copy() for key in range(1000)]
small = parts[::10]
del parts
'''

THREADS = '''
import threading
ready, over = threading.Semaphore(0), threading.Event()
kept = [None] * 32
def work(at):
    mine = [bytes(100 + i * 37 % 9000) for i in range(3000)]
    kept[at] = mine[::3]
    del mine
    ready.release()
    over.wait()
for at in range(32):
    threading.Thread(target=work, args=(at,), daemon=True).start()
for _ in range(32):
    ready.acquire()
'''

HOLES = '''
blocks = [bytearray(3000 + i % 7000) for i in range(40000)]
kept = blocks[::200]
del blocks
'''

# Garbage that only the collector finds, with what it holds.
CYCLES = '''
gc.disable()
class Node:
    def __init__(self, payload):
        self.me, self.payload = self, payload
def litter(payload, count):
    for n in range(count):
        Node(payload(n))
'''
OBJECTS_IN_CYCLES = CYCLES + '''
litter(lambda n: {"a": [n, str(n)], "b": (n, n)}, 60000)
'''
BUFFERS_IN_CYCLES = CYCLES + '''
litter(lambda n: bytearray(2000 + n % 3000), 20000)
'''
LARGE_IN_CYCLES = CYCLES + '''
litter(lambda n: b"x" * 300000, 200)
'''
STRINGS_IN_CYCLES = CYCLES + '''
litter(lambda n: [" " * (i % 99 * 16) for i in range(2000)], 200)
'''
PANDAS_IN_CYCLES = CYCLES + PANDAS + '''
litter(lambda n: frame[frame.key == n].copy(), 1000)
'''

PROGRAMS = [("the seed's fragmentation, half kept", SEED),
            ("the seed's fragmentation, dropped", SEED_DROPPED),
            ("1,000,000 instances", INSTANCES), ("numpy and pandas", PANDAS),
            ("32 threads", THREADS)]
TRIMMED = [PROGRAMS[0], PROGRAMS[1], ("holes in malloc", HOLES), PROGRAMS[3], PROGRAMS[4]]
COLLECTED = [("objects in cycles", OBJECTS_IN_CYCLES), ("buffers in cycles", BUFFERS_IN_CYCLES),
             ("large bytes in cycles", LARGE_IN_CYCLES),
             ("strings in cycles", STRINGS_IN_CYCLES), ("pandas in cycles", PANDAS_IN_CYCLES)]


def started(python, setup, strings):
    return target.Target(python, TRUTH + setup.replace("STRINGS", str(strings)), timeout=300)


def sample(pid):
    return heaptop.sample(pid, "--agent=never")


def sample_with_dry_run(pid):
    """Of a large heap the collector is not run dry before the second round."""
    for count in (1, 4, 60):
        found = heaptop.samples(pid, "--agent=never", "--walk", "0.5", count=count, timeout=120)[-1]
        if found["account"]["collect_trim_bytes"] is not None:
            return found
    raise heaptop.Failed("the collector was not run dry")


# ---- the account ----------------------------------------------------------------

def row(name, found):
    account = found["account"]
    total = sum(part["bytes"] for part in account["parts"]) + account["unexplained_bytes"]
    print("%-38s %9.1f  %9.1f  %8.3f %% %s" % (
        name, account["res_bytes"] / MIB, account["unexplained_bytes"] / MIB,
        100.0 * account["unexplained_bytes"] / account["res_bytes"],
        "" if total == account["res_bytes"] else "  DOES NOT ADD UP"))


class Load:
    """Asks for pages all the time, in some threads."""
    def __init__(self, web, pages):
        self.web, self.pages, self.is_over, self.answered = web, pages, False, 0
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.is_over:
            for page in self.pages:
                try:
                    with urllib.request.urlopen(self.web.url(page), timeout=20) as answer:
                        self.answered += len(answer.read()) > 0
                except OSError:
                    pass

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def django_rows():
    web = service.Service()
    try:
        web.wait()
        load = Load(web, ["work", "leak", "cycle", "work"])
        for pid in sorted(web.workers()):
            began = load.answered
            found = sample(pid)
            row("a Django worker (%d requests meanwhile)" % (load.answered - began), found)
        load.stop()
    finally:
        web.close()


def close(python, strings):
    print("\nThe account: what of RES is in no part (MiB)\n")
    print("%-38s %9s  %9s  %8s" % ("program", "RES", "nowhere", "share"))
    for name, setup in PROGRAMS:
        with started(python, setup, strings) as t:
            row(name, sample(t.pid))
    django_rows()


# ---- the predictions ------------------------------------------------------------

def compare(name, least, most, real):
    told = "%9.1f" % (least / MIB) if least == most else "%.1f to %.1f" % (least / MIB, most / MIB)
    off = 0 if least <= real <= most else min(abs(real - least), abs(real - most))
    print("%-38s %16s  %9.1f  %7.2f %%" % (name, told, real / MIB, 100.0 * off / max(real, MIB)))


def predict(python, strings):
    heads = ("program", "predicted", "returned", "off by")
    print("\nmalloc_trim(0): what it was predicted to return, and returned (MiB)\n")
    print("%-38s %16s  %9s  %9s" % heads)
    for name, setup in TRIMMED:
        with started(python, setup, strings) as t:
            told = sample(t.pid)["account"]["trim_bytes"]
            compare(name, told, told, t.ask("returned(False)", timeout=120))
    print("\ngc.collect() and malloc_trim(0), likewise\n")
    print("%-38s %16s  %9s  %9s" % heads)
    for name, setup in COLLECTED:
        with started(python, setup, strings) as t:
            told = sample_with_dry_run(t.pid)["account"]
            compare(name, told["collect_trim_bytes"], told["collect_trim_most_bytes"],
                    t.ask("returned(True)", timeout=120))
