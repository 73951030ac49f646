"""What the programs are made of: causes of growth that know how many bytes they have made.

A part is an object with step(seconds), called some times a second with the time since the
program began, and bytes(), what it holds by its own count. grows() says how much it should
have by then, so that a slow machine catches up.
"""
import ctypes
import gc
import json
import mmap
import os
import sys
import threading
import time

MB = 1 << 20
libc = ctypes.CDLL(None, use_errno=True)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.malloc_usable_size.restype = ctypes.c_size_t
libc.malloc_usable_size.argtypes = [ctypes.c_void_p]
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]


def given(value):
    """The bytes that the allocator gives for an object: sys.getsizeof, rounded up; in malloc
    with a word before it."""
    size = sys.getsizeof(value)
    return (size + 15) & ~15 if size <= 512 else (size + 8 + 15) & ~15


class Part:
    def __init__(self, rate=0.7 * MB, after=0.0):
        self.rate, self.after, self.made = rate, after, 0

    def step(self, seconds):
        wanted = self.rate * max(0.0, seconds - self.after)
        while self.made < wanted:
            self.made += self.make()

    def bytes(self):
        return self.made

    def make(self):
        raise NotImplementedError


# ---- Python objects ----

class Session:
    __slots__ = ("user", "token", "seen")

    def __init__(self, number):
        self.user, self.token, self.seen = "user %d" % number, "%064d" % number, [number]


SESSIONS = {}


class Registry(Part):
    """A module's dict that gets a session with each request and never loses one."""

    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.table = sys.getsizeof(SESSIONS)

    def make(self):
        number = len(SESSIONS)
        session = SESSIONS[number] = Session(number)
        table = sys.getsizeof(SESSIONS)
        more, self.table = table - self.table, table
        return more + sum(map(given, (session, session.user, session.token, session.seen,
                                      number))) + 16


class OnlyOne:
    """As in a talk on saving memory: one instance for each set of arguments, kept for ever."""
    __slots__ = ("name",)
    _instances = {}

    def __new__(cls, name):
        if name not in cls._instances:
            cls._instances[name] = super().__new__(cls)
        return cls._instances[name]

    def __init__(self, name):
        self.name = name


class Instances(Part):
    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.table = sys.getsizeof(OnlyOne._instances)

    def make(self):
        name = "instance %60d" % len(OnlyOne._instances)
        one = OnlyOne(name)
        table = sys.getsizeof(OnlyOne._instances)
        more, self.table = table - self.table, table
        return more + given(name) + given(one)


def relatives(cat, found=[]):  # pylint: disable=dangerous-default-value
    found.append(cat)
    return found


class MutableDefault(Part):
    """def f(x, acc=[]): the default grows for ever."""

    def make(self):
        cat = ("cat", str(self.made) * 8, float(self.made))
        relatives(cat)
        return given(cat) + given(cat[1]) + given(cat[2]) + 8


class UnboundedCache(Part):
    """functools.lru_cache(maxsize=None)."""

    def __init__(self, *arguments, **names):
        import functools
        super().__init__(*arguments, **names)
        self.number = 1 << 40
        self.call = functools.lru_cache(maxsize=None)(lambda key: b"%0200d" % key)

    def make(self):
        self.number += 1
        return given(self.call(self.number)) + 32 + 60


class Cycles(Part):
    """Pairs that refer to each other, while nobody collects."""

    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        gc.collect()
        gc.disable()

    def make(self):
        pair = ["%0100d" % self.made]
        pair.append([pair, None])
        return given(pair) + given(pair[0]) + given(pair[1])


class BigBytes(Part):
    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.kept = []

    def make(self):
        self.kept.append(b"x" * 6000)
        return 6048


class ByRes(Part):
    """Calls a function again and again. Nothing else grows here: what it made is what RES
    grew by."""

    def __init__(self, one, **names):
        super().__init__(**names)
        self.one, self.count, self.first = one, 0, None

    def step(self, seconds):
        self.first = self.first or resident()
        while self.bytes() < self.rate * (seconds - self.after):
            for _ in range(20):
                self.count += 1
                self.one(self.count)

    def bytes(self):
        return resident() - (self.first or resident())


class Classes(Part):
    """A class for each call, kept by the list of subclasses of its base."""

    class Base:
        pass

    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.kept, self.each = [], None
        gc.collect()

    def make(self):
        made = type("Row%d" % len(self.kept), (self.Base,), {"__slots__": ("a", "b")})
        self.kept.append(made)
        # type, its dict with keys, two descriptors, mro, bases, name, weak reference, ...
        if self.each is None and len(self.kept) > 200:
            self.each = self.measure()
        return self.each or 2300

    def measure(self):
        before = sys.getallocatedblocks()
        self.kept += [type("Row", (self.Base,), {"__slots__": ("a", "b")}) for _ in range(50)]
        return max(1200, (sys.getallocatedblocks() - before) // 50 * 120)


class Tasks:
    """Tasks that wait for an event which never comes."""

    def __init__(self, rate=2000):
        import asyncio
        self.rate, self.count, self.loop = rate, 0, asyncio.new_event_loop()
        self.event = None

    def step(self, seconds):
        import asyncio

        async def fetch(number):
            text = "%0200d" % number
            await self.event.wait()
            return text

        async def start(wanted):
            self.event = self.event or asyncio.Event()
            while self.count < wanted:
                self.kept.append(self.loop.create_task(fetch(self.count)))
                self.count += 1
            await asyncio.sleep(0)

        self.kept = getattr(self, "kept", [])
        self.loop.run_until_complete(start(int(self.rate * seconds)))

    def bytes(self):
        return 0


class Threads:
    """Threads that never end."""

    def __init__(self, rate=2.0):
        self.rate, self.count = rate, 0

    def step(self, seconds):
        while self.count < self.rate * seconds:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
            self.count += 1

    def bytes(self):
        return 0


# ---- memory outside Python's objects ----

class Native(Part):
    """malloc without free, as a C library would."""

    def make(self):
        place = libc.malloc(4000)
        ctypes.memset(place, 1, 4000)
        return libc.malloc_usable_size(place) + 8


class NativeMappings(Part):
    """Anonymous memory that a library maps by itself."""

    def make(self):
        place = libc.mmap(None, 256 << 10, 3, 0x22, -1, 0)
        ctypes.memset(place, 1, 256 << 10)
        return 256 << 10


class Contexts(Part):
    """TLS contexts in reference cycles: their memory is OpenSSL's, and garbage keeps it."""

    def __init__(self, *arguments, **names):
        import ssl
        super().__init__(*arguments, **names)
        self.new = lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        first = [self.new() for _ in range(50)]
        before = mallinfo()["uordblks"]
        first += [self.new() for _ in range(50)]
        self.each = (mallinfo()["uordblks"] - before) // 50
        gc.disable()

    def make(self):
        holder = [self.new()]
        holder.append(holder)
        return self.each


class File(Part):
    """A mapped file that is read on and on."""

    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.file = open(sys.argv[0] + ".%d.data" % os.getpid(), "w+b", buffering=0)
        os.unlink(self.file.name)
        for _ in range(160):
            self.file.write(os.urandom(MB // 16) * 16)
        self.map = mmap.mmap(self.file.fileno(), 160 * MB, prot=mmap.PROT_READ)
        self.map.madvise(mmap.MADV_RANDOM)
        self.seen = 0

    def make(self):
        at = self.made % (160 * MB)
        self.seen += self.map[at]
        return 4096


class Shared(Part):
    def make(self):
        self.kept = getattr(self, "kept", [])
        made = mmap.mmap(-1, 256 << 10)
        for at in range(0, 256 << 10, 4096):
            made[at] = 1
        self.kept.append(made)
        return 256 << 10


# ---- noise and decoys ----

class SawTooth:
    """Scratch memory that is built up and dropped every few seconds."""

    def __init__(self, most=40 * MB, period=5.0):
        self.most, self.period, self.kept, self.round = most, period, [], 0

    def step(self, seconds):
        if int(seconds / self.period) != self.round:
            self.round = int(seconds / self.period)
            self.kept = []
        wanted = self.most * (seconds % self.period) / self.period
        while len(self.kept) * MB < wanted:
            self.kept.append(bytes(b"s") * MB)

    def bytes(self):
        return 0


class SmallSawTooth(SawTooth):
    """The same of small objects: pymalloc takes and returns arenas."""

    def step(self, seconds):
        if int(seconds / self.period) != self.round:
            self.round = int(seconds / self.period)
            self.kept = []
        wanted = self.most * (seconds % self.period) / self.period
        while len(self.kept) * 160 < wanted:
            self.kept.append("%0100d" % len(self.kept))


class WarmUp:
    """Imports, and a data set that is read in; then it is over."""

    MODULES = ("http.client", "email.message", "xml.dom.minidom", "unittest", "decimal",
               "concurrent.futures", "multiprocessing", "logging.handlers", "sqlite3", "ssl",
               "asyncio", "pydoc", "tarfile", "csv", "urllib.request", "html.parser", "smtplib",
               "imaplib", "ftplib", "difflib", "doctest", "argparse", "statistics", "fractions")

    def __init__(self, seconds=14.0, data=24 * MB):
        self.seconds, self.data, self.kept, self.n_imported = seconds, data, [], 0

    def step(self, seconds):
        import importlib
        share = min(1.0, seconds / self.seconds)
        while self.n_imported < share * len(self.MODULES):
            importlib.import_module(self.MODULES[self.n_imported])
            self.n_imported += 1
        while len(self.kept) * 160 < share * self.data:
            self.kept.append("%0100d" % len(self.kept))

    def bytes(self):
        return 0


# ---- what is there from the beginning ----

class Level:
    """Holds so many bytes in its way; `measure` says how many."""

    def __init__(self, measure):
        self.measure = measure

    def step(self, seconds):
        pass

    def bytes(self):
        return self.measure()


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]


def mallinfo():
    call = libc.mallinfo2
    call.restype = _Mallinfo2
    found = call()
    return {name: getattr(found, name) for name, _ in found._fields_}


def malloc_free_of_all_arenas():
    """malloc_info(0, file) adds up all arenas; mallinfo2 knows the main one only."""
    import re
    libc.fopen.restype = ctypes.c_void_p
    libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.fclose.argtypes = [ctypes.c_void_p]
    path = sys.argv[0] + ".%d.xml" % os.getpid()
    file = libc.fopen(path.encode(), b"w")
    libc.malloc_info(0, file)
    libc.fclose(file)
    with open(path) as text:
        whole = text.read()
    os.unlink(path)
    heaps = whole.split("</heap>")
    return [{kind: int(size) for kind, size in
             re.findall(r'<total type="(fast|rest)" count="\d+" size="(\d+)"', heap)}
            for heap in heaps[:-1]]


def pymalloc_unused():
    """(free bytes in blocks and pools, {block size: bytes of free blocks}, arenas) as
    sys._debugmallocstats says."""
    import re
    path = sys.argv[0] + ".%d.stats" % os.getpid()
    sys.stderr.flush()
    saved = os.dup(2)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 2)
    sys._debugmallocstats()
    os.dup2(saved, 2)
    os.close(saved)
    os.lseek(file, 0, 0)
    text = os.read(file, 1 << 20).decode()
    os.close(file)
    os.unlink(path)
    classes = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 5 and all(word.isdigit() for word in words):
            classes[int(words[1])] = int(words[1]) * int(words[4])
    pools = re.search(r"\d+ unused pools \* \d+ bytes\s+=\s+([\d,]+)", text)
    arenas = re.search(r"# arenas allocated current\s+=\s+([\d,]+)", text)
    number = lambda found: int(found.group(1).replace(",", ""))
    return sum(classes.values()) + number(pools), classes, number(arenas)


def self_rollup(name):
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) << 10 for line in file
                   if line.split(":")[0] in name)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * mmap.PAGESIZE


def trimmed():
    """Trims, and says by how much RES fell."""
    before = resident()
    libc.malloc_trim(0)
    return before - resident()


def run(parts):
    """The first part's bytes are the truth. A line on stdout is an answer: the time and the
    bytes; a line on stdin ends the program, after what it calls for."""
    import select
    began = time.monotonic()
    sys.stdout.write('"ready"\n')
    sys.stdout.flush()
    while True:
        for part in parts:
            part.step(time.monotonic() - began)
        print(json.dumps([time.time(), parts[0].bytes()]), flush=True)
        if select.select([0], [], [], 0.2)[0]:
            word = os.read(0, 100).decode().strip()
            if word != "trim":
                return
            print(json.dumps(["trim", trimmed()]), flush=True)
