"""What a target would pay if a refresh learned from write-protected pages what has changed.

An interpreter protects its own memory (userfaultfd, WP_ASYNC) as an agent would, and asks
the kernel which pages were written since (PAGEMAP_SCAN). A collection writes to the GC head
of each container that it looks at, so the first one after each refresh pays a fault for
most pages. By processor time, for a clock tells of others on a busy machine; the least of
some turns. The refresh that heaptop has (src/source/objects_kept.h) asks nothing of the
target.
"""
import subprocess

OBJECTS = 500000
GOAL = "no pause of the target grows by 10 ms (doc/architecture.md, rule 1)"

PROGRAM = r'''
import ctypes, fcntl, gc, mmap, os, struct, sys, time
API, REGISTER, SCAN = 0xC018AA3F, 0xC020AA00, 0xC0606610
USERFAULTFD, USER_MODE_ONLY, WP_ASYNC, WP_UNPOPULATED = 323, 1, 1 << 15, 1 << 13
PROTECT, WRITTEN, RANGES = 3, 2, 100000      # PM_SCAN_WP_MATCHING | CHECK_WPASYNC
class Row:
    def __init__(self, i): self.number, self.text, self.items = i, "row %d" % i, [i, i + 1]
rows = [Row(i) for i in range(int(sys.argv[1]))]
gc.collect()
fd = ctypes.CDLL(None).syscall(USERFAULTFD, USER_MODE_ONLY | os.O_CLOEXEC)
if fd < 0:
    sys.exit("the kernel refuses userfaultfd")
try:
    fcntl.ioctl(fd, API, bytearray(struct.pack("QQQ", 0xAA, WP_ASYNC | WP_UNPOPULATED, 0)))
    pagemap = os.open("/proc/self/pagemap", os.O_RDONLY)
    regions = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            start, end = [int(x, 16) for x in fields[0].split("-")]
            if fields[1:5] == ["rw-p", "00000000", "00:00", "0"] and end - start >= 1 << 20:
                regions.append((start, end))
    for start, end in regions:
        fcntl.ioctl(fd, REGISTER, bytearray(struct.pack("QQQQ", start, end - start, 2, 0)))
except OSError as error:
    sys.exit("the kernel cannot protect asynchronously: %s" % error)
found = (ctypes.c_uint64 * (3 * RANGES))()
def scan(flags):
    """How many pages were written since they were protected, and the time it takes."""
    pages, began = 0, time.thread_time()
    for start, end in regions:
        while start < end:
            asked = bytearray(struct.pack("12Q", 96, flags, start, end, 0,
                                          ctypes.addressof(found), RANGES, 0, 0, WRITTEN, 0,
                                          WRITTEN))
            n = fcntl.ioctl(pagemap, SCAN, asked)
            start = struct.unpack_from("Q", asked, 32)[0]
            pages += sum(found[3 * i + 1] - found[3 * i] for i in range(n)) // 4096
    return pages, time.thread_time() - began
def collect():
    began = time.thread_time()
    gc.collect()
    return time.thread_time() - began
def first_touch():
    """Of a page of new memory: what any fault costs here."""
    memory, began = mmap.mmap(-1, 64 << 20), time.thread_time()
    for at in range(0, 64 << 20, 4096): memory[at] = 1
    fresh = time.thread_time()
    for at in range(0, 64 << 20, 4096): memory[at] = 2
    return (2 * fresh - began - time.thread_time()) / (64 << 8)
touch = min(first_touch() for _ in range(3))
scan(PROTECT)                 # what was registered a moment ago counts as written
collect()
scan(PROTECT)
plain = armed = None
for turn in range(5):
    scan(PROTECT)
    took = collect(), *scan(0)
    armed = min(armed or took, took)
    again = collect()         # the pages are as they were left: written
    plain = min(plain or again, again)
total = sum(end - start for start, end in regions)
print(total >> 20, plain * 1e3, armed[0] * 1e3, 100 * armed[1] * 4096 / total,
      (armed[0] - plain) / max(armed[1], 1) * 1e6, touch * 1e6, armed[2] * 1e3)
'''


def measure(python):
    print("\nA collection after a write-protecting refresh, by processor time; bar: %s.\n"
          "%s, %d instances" % (GOAL, python, OBJECTS))
    ran = subprocess.run([python, "-c", PROGRAM, str(OBJECTS)], capture_output=True, text=True,
                         timeout=300)
    if ran.returncode:
        print("protect: skipped: %s" % ran.stderr.strip().split("\n")[-1])
        return
    mib, plain, armed, share, fault, touch, scan = map(float, ran.stdout.split())
    print("%8s %11s %11s %9s %11s %13s %9s" % (
        "MiB", "plain ms", "after ms", "written", "us a page", "us a new page", "scan ms"))
    print("%8.0f %11.1f %11.1f %7.0f %% %11.2f %13.2f %9.2f" % (
        mib, plain, armed, share, fault, touch, scan), flush=True)
