"""Programs whose trouble is known, and healthy ones.

    python3 programs.py NAME      runs one: see parts.run()

Each row names the rules that are right as the first verdict; bytes() of a program's first part
is the truth about how much. `since_begin` truths are levels, the others growth.
"""
import collections
import ctypes
import gc
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import healthy  # its rows stand first; pylint: disable=unused-import
import parts
from parts import MB
from rows import ROWS, level, row

RATE = 0.7 * MB
THIRD = 0.3 * MB  # beside RATE: 30 per cent of the whole


# ---- R2: objects ----

@row("R2", "plain", "a module's dict gets a session with each request")
def registry():
    return [parts.Registry()]


@row("R2", "plain", "a class keeps each instance in its _instances (a talk's example)")
def class_registry():
    return [parts.Instances()]


@row("R2", "plain", "a mutable default argument (a talk's example)")
def mutable_default():
    return [parts.MutableDefault()]


@row("R2", "plain", "functools.lru_cache(maxsize=None)")
def lru_cache_unbounded():
    return [parts.UnboundedCache()]


@row("R2", "plain", "a deque behind a class attribute")
def class_deque():
    class Queue:
        pending = collections.deque()
    return [parts.ByRes(lambda number: Queue.pending.append("%0150d" % number))]


@row("R2", "plain", "a logging handler buffers its records")
def logging_buffer():
    import logging.handlers
    log = logging.getLogger("app")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.handlers.MemoryHandler(1 << 40, flushLevel=100))
    return [parts.ByRes(lambda number: log.info("request %d: %s", number, "%0100d" % number))]


@row("R2", "plain", "closures that subscribed and never leave")
def closures():
    subscribers = []

    def subscribe(number):
        text = "callback %0100d" % number
        subscribers.append(lambda: text)
    return [parts.ByRes(subscribe)]


@row("R2", "plain", "an asyncio.Queue that nobody empties")
def queue_of_nobody():
    import asyncio
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # before 3.10 the queue asks for it
    queue = asyncio.Queue()
    return [parts.ByRes(lambda number: queue.put_nowait(("event", number, "%060d" % number)))]


@row("R2", "plain", "objects of a WeakValueDictionary that a list holds all the same")
def weak_values_held():
    import weakref

    class Entry:
        def __init__(self, number):
            self.text = "%0100d" % number
    table, kept = weakref.WeakValueDictionary(), []

    def add(number):
        kept.append(Entry(number))
        table[number] = kept[-1]
    return [parts.ByRes(add)]


@row("R2", "saw-tooth", "sessions, behind batches of 100 MB that come and go every 6 s",
     has_bytes=False)
def registry_behind_batches():
    return [parts.Registry(1.0 * MB), parts.SmallSawTooth(100 * MB, 6)]


@row("R2", "mixed", "sessions, and 30 % that is native")
def registry_and_native():
    return [parts.Registry(), parts.Native(THIRD)]


@row("R2", "saw-tooth", "sessions, and 40 MB of scratch every 5 s")
def registry_and_scratch():
    return [parts.Registry(), parts.SawTooth()]


@row("R2", "warm-up", "sessions, after imports and 24 MB of data")
def registry_after_start():
    return [parts.Registry(after=14), parts.WarmUp()]


# ---- R3: garbage ----

@row("R3", "plain", "cycles, and the collector is off (a talk's example)")
def cycles():
    return [parts.Cycles()]


@row("R3", "mixed", "cycles, and 30 % sessions")
def cycles_and_registry():
    return [parts.Cycles(), parts.Registry(THIRD)]


@row("R3", "saw-tooth", "cycles, and 40 MB of scratch every 5 s")
def cycles_and_scratch():
    return [parts.Cycles(), parts.SawTooth()]


@row("R3", "warm-up", "cycles, after imports and 24 MB of data")
def cycles_after_start():
    return [parts.Cycles(after=14), parts.WarmUp()]


@row("R3b", "plain", "TLS contexts in cycles: garbage keeps native memory")
def tls_cycles():
    return [parts.Contexts()]


@row("R3b", "mixed", "TLS contexts in cycles, and 30 % sessions")
def tls_cycles_and_registry():
    return [parts.Contexts(), parts.Registry(THIRD)]


# ---- R4: malloc ----

def halves(blocks, size):
    """Every second buffer stays: what was freed can't go."""
    made = [b"x" * (size + i % 7 * 16) for i in range(blocks)]
    kept = made[::2]
    del made
    return kept


def free_in_malloc():
    found = parts.malloc_free_of_all_arenas()
    return sum(heap.get("rest", 0) + heap.get("fast", 0) for heap in found)


@level("R4", "plain", "the experiment of the first talk: 2.6 million strings, then none")
def talk_strings():
    kept = []
    for i in range(1, 100):
        some = [" " * i * 16 for _ in range(1000000 // i)]
        some = some[::2]
        kept.extend(some)
    del kept, some
    return [parts.Level(free_in_malloc)]


@level("R4", "plain", "every second buffer of 3 KB is freed")
def half_freed():
    kept = halves(70000, 3000)
    return [Holder(free_in_malloc, kept)]


@level("R4", "mixed", "the same, and 30 % in free pools of pymalloc")
def half_freed_and_pins():
    kept = halves(80000, 3000) + survivors(400000, 1000)
    return [Holder(free_in_malloc, kept)]


@level("R4", "saw-tooth", "the same, and 20 MB of scratch every 5 s")
def half_freed_and_scratch():
    kept = halves(80000, 3000)
    return [Holder(free_in_malloc, kept), parts.SawTooth(20 * MB)]


class Holder(parts.Level):
    def __init__(self, measure, kept):
        super().__init__(measure)
        self.kept = kept


def free_of_threads():
    return sum(heap.get("rest", 0) + heap.get("fast", 0)
               for heap in parts.malloc_free_of_all_arenas()[1:])


@level("R4b", "plain", "twelve threads fill their arenas, and another frees most of it")
def thread_arenas():
    gate, filled = threading.Event(), []

    def work():
        made = [b"x" * (1500 + i % 13 * 900) for i in range(3000)]
        filled.append(made)
        del made
        gate.wait()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    while len(filled) < len(threads):
        time.sleep(0.05)
    kept = [made[-1] for made in filled]
    filled.clear()

    return [Holder(free_of_threads, (kept, threads, gate))]


@level("R4b", "plain", "forty threads fill their arenas and end, then all is dropped")
def ended_threads():
    filled = []

    def work():
        filled.append([bytes(700 + i % 50 * 100) for i in range(3000)])

    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    filled.clear()
    return [parts.Level(free_of_threads)]


@level("R4c", "plain", "buffers of 4 MB are freed while small ones between them stay",
       has_bytes=False)
def mmap_threshold():
    first = bytearray(4 * MB)
    del first  # from now on buffers of this size come from the heap
    buffers, pins = [], []
    for _ in range(40):
        buffers.append(bytearray(b"x") * (4 * MB - 4096))
        pins.append(bytes(65000))
    del buffers
    return [Holder(lambda: 40 * 4 * MB, pins)]


# ---- R5: pymalloc ----

def survivors(count, one_in):
    """Of so many small objects every so-manieth stays."""
    made = ["%040d" % i for i in range(count)]
    kept = made[::one_in]
    del made
    return kept


def unused():
    return parts.pymalloc_unused()[0]


@level("R5", "plain", "4 million strings, of which 200 stay")
def pins():
    kept = survivors(4000000, 20000)
    return [Holder(unused, kept)]


@level("R5", "plain", "one of 1000 objects of many sizes stays")
def pins_of_many_sizes():
    made = ["x" * (8 + i % 400) for i in range(1000000)]
    kept = made[::1000]
    del made
    return [Holder(unused, kept)]


@level("R5", "mixed", "pins, and 30 % of it free in malloc")
def pins_and_malloc():
    kept = survivors(2000000, 2000) + halves(40000, 3000)
    return [Holder(unused, kept)]


@level("R5", "saw-tooth", "pins, and 40 MB of scratch every 5 s")
def pins_and_scratch():
    kept = survivors(2000000, 2000)
    return [Holder(unused, kept), parts.SawTooth()]


@level("R5b", "plain", "every second object of one size is freed beside 200 MB in use")
def hoard():
    others = [(i, str(i)) for i in range(1500000)]
    made = [bytes(180) for _ in range(500000)]
    kept = made[::2]
    del made

    def largest_class():
        return max(parts.pymalloc_unused()[1].values())
    return [Holder(largest_class, (others, kept))]


@level("R9", "plain", "entries of free lists alone keep arenas", has_bytes=False)
def free_lists():
    made = [tuple(range(2 + i % 18)) for i in range(1000000)]
    held = [None] * 20000
    for i in range(len(held)):  # spread over all arenas: these go to the free lists
        held[i], made[i * 50] = made[i * 50], None
    gc.disable()
    del held
    del made
    return [parts.Level(lambda: 0)]


# ---- R6, R7: native memory, large objects ----

@row("R6", "plain", "malloc of 4000 B without free")
def native():
    return [parts.Native()]


@row("R6", "plain", "a library maps memory by itself")
def native_mappings():
    return [parts.NativeMappings()]


@row("R6", "mixed", "malloc without free, and 30 % sessions")
def native_and_registry():
    return [parts.Native(), parts.Registry(THIRD)]


@row("R6", "saw-tooth", "malloc without free, and 40 MB of small scratch every 5 s")
def native_and_scratch():
    return [parts.Native(), parts.SmallSawTooth()]


@row("R6", "saw-tooth", "malloc without free, behind batches of 100 MB every 6 s")
def native_behind_batches():
    return [parts.Native(1.0 * MB), parts.SmallSawTooth(100 * MB, 6)]


@row("R6", "warm-up", "malloc without free, after imports and 24 MB of data")
def native_after_start():
    return [parts.Native(after=14), parts.WarmUp()]


@row("R7", "plain", "bytes of 6000 B are kept")
def big_bytes():
    return [parts.BigBytes()]


@row("R7", "plain", "one bytearray that only grows")
def growing_bytearray():
    buffer = bytearray()
    return [parts.ByRes(lambda number: buffer.extend(b"x" * 3000))]


@row("R7", "plain", "numpy's arrays of 8 KB are kept")
def numpy_arrays():
    import numpy
    kept = []
    return [parts.ByRes(lambda number: kept.append(numpy.ones(1000)))]


@row("R7", "plain", "exceptions are kept, and with them what their frames hold")
def kept_exceptions():
    kept = []

    def fail(number):
        body = "%03000d" % number
        raise ValueError(len(body))

    def one(number):
        try:
            fail(number)
        except ValueError as error:
            kept.append(error)
    return [parts.ByRes(one)]


@row("R7", "mixed", "bytes of 6000 B are kept, and 30 % native")
def big_bytes_and_native():
    return [parts.BigBytes(), parts.Native(THIRD)]


@row("R7", "saw-tooth", "bytes of 6000 B are kept, and 40 MB of small scratch every 5 s")
def big_bytes_and_scratch():
    return [parts.BigBytes(), parts.SmallSawTooth()]


# ---- R8: files and shared memory ----

@row("R8", "plain", "a mapped file is read on and on")
def mapped_file():
    return [parts.File()]


@row("R8", "plain", "mmap(-1): shared anonymous memory")
def shared_memory():
    return [parts.Shared()]


@row("R8", "mixed", "a mapped file, and 30 % sessions")
def mapped_file_and_registry():
    return [parts.File(), parts.Registry(THIRD)]


# ---- R10 .. R13 ----

WATCHED_S = 16  # what it had before is seen by then, on a busy machine too


class Child:
    """After a fork the driver looks at the child: `pid` is told before anything else."""

    def __init__(self, touch):
        self.touch, self.first = touch, None
        self.kept = [(i, [i]) for i in range(400000)]
        gc.collect()
        child = os.fork()
        if child:
            os.write(1, b'{"pid": %d}\n' % child)  # at once: the child writes too
            os.waitpid(child, 0)
            os._exit(0)
        self.at = 0

    def step(self, seconds):
        if self.first is None:
            self.first = self.bytes()
        if seconds > WATCHED_S:
            self.touch(self, seconds - WATCHED_S)

    def bytes(self):
        return parts.self_rollup(("Private_Clean", "Private_Dirty"))


def collect_once(child, seconds):
    if child.at == 0:
        child.at = 1
        gc.collect()


def touch_some(child, seconds):
    wanted = min(len(child.kept), int(seconds * 10000))
    while child.at < wanted:
        held = child.kept[child.at]  # its reference count is written
        child.at += 1
        del held


@row("R10", "plain", "a forked child collects: the pages of its objects are copied")
def fork_and_collect():
    return [Child(collect_once)]


@row("R10", "plain", "a forked child uses its objects: reference counts are written")
def fork_and_touch():
    return [Child(touch_some)]


@row("R11", "plain", "a class is made with each call", has_bytes=False)
def classes():
    return [parts.Classes()]


@row("R11", "plain", "code is compiled with each call", has_bytes=False)
def compiled_code():
    kept = []

    def compile_one(number):
        space = {}
        exec("def f%d(a, b):\n    x = a + b * %d\n    return [x, 'text %d', (a, b)]\n"
             % (number, number, number), space)
        kept.append(space.popitem()[1])
    return [parts.ByRes(compile_one)]


@row("R11", "mixed", "a class is made with each call, and 30 % sessions", has_bytes=False)
def classes_and_registry():
    return [parts.Classes(), parts.Registry(THIRD)]


@row("R12", "plain", "tasks wait for what never comes", has_bytes=False)
def tasks():
    return [parts.Tasks()]


@row("R12", "plain", "generators are begun and never ended", has_bytes=False)
def begun_generators():
    kept = []

    def lines(number):
        text = "%0150d" % number
        while True:
            yield text

    def begin(number):
        kept.append(lines(number))
        next(kept[-1])
    return [parts.ByRes(begin)]


@row("R12", "plain", "threads never end", has_bytes=False)
def threads_pile_up():
    return [parts.Threads()]


class SwappedOut(parts.Part):
    """The kernel is asked to take the pages that were written (MADV_PAGEOUT)."""

    def __init__(self, rate):
        super().__init__(rate)
        with open("/proc/swaps") as file:
            if len(file.readlines()) < 2:
                sys.exit("this machine has no swap")

    def make(self):
        place = parts.libc.mmap(None, MB, 3, 0x22, -1, 0)
        ctypes.memset(place, 1, MB)
        if parts.libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(MB), 21):
            raise OSError(ctypes.get_errno(), "madvise")
        return MB


@row("R13", "plain", "memory goes to swap as fast as it comes")
def swapped_out():
    return [SwappedOut(1.5 * MB)]


@row("R14", "plain", "120 MB are built up and dropped every 8 s", has_bytes=False)
def scratch():
    return [parts.SawTooth(120 * MB, 8)]


@row("R14", "plain", "120 MB of small objects are built up and dropped every 8 s", has_bytes=False)
def small_scratch():
    return [parts.SmallSawTooth(120 * MB, 8)]


if __name__ == "__main__":
    parts.run(ROWS[sys.argv[1]].make())
