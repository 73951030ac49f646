"""The target is at work: in the allocator, in C, in many threads, deep in its stack."""
from row import EACH, Row, cannot, debian, few, files, programs, python_modules, works

GROUP = "At work: allocators, C code, threads"
LIBRARIES = "/usr/lib/x86_64-linux-gnu/"


def preloaded(name):
    return works("native.py", "malloc", "4", env={"LD_PRELOAD": LIBRARIES + name},
                 is_steady=False)


def on_host(found):
    """What is preloaded lies on the host, so not in a chroot."""
    return few([i for i in found if not i.root])


ROWS = [
    Row("noisy", "16, 14, 12", "8 threads compute, a timer ticks, children run",
        works("noisy.py", is_steady=False), weight=6, short=EACH(10)),
    Row("compute", "16", "one thread computes", works("plain.py"), weight=2),
    Row("malloc", "16; threat 15", "all time in malloc and free",
        works("native.py", "malloc", "1", is_steady=False), short=EACH(2)),
    Row("malloc-64", "16", "64 threads in malloc and free",
        works("native.py", "malloc", "64", is_steady=False)),
    Row("malloc-one-arena", "16", "4 threads, MALLOC_ARENA_MAX=1",
        works("native.py", "malloc", "4", env={"MALLOC_ARENA_MAX": "1"}, is_steady=False), on=few),
    Row("malloc-tunables", "16", "4 threads, GLIBC_TUNABLES",
        works("native.py", "malloc", "4", is_steady=False, env={
            "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.perturb=85"}), on=few),
    Row("jemalloc", "16", "4 threads, jemalloc preloaded", preloaded("libjemalloc.so.2"),
        on=on_host, needs=files(LIBRARIES + "libjemalloc.so.2")),
    Row("tcmalloc", "16", "4 threads, tcmalloc preloaded", preloaded("libtcmalloc_minimal.so.4"),
        on=on_host, needs=files(LIBRARIES + "libtcmalloc_minimal.so.4")),
    Row("mimalloc", "16", "4 threads, mimalloc preloaded", preloaded("libmimalloc.so.2"),
        on=on_host, needs=files(LIBRARIES + "libmimalloc.so.2")),
    Row("pythonmalloc", "16", "PYTHONMALLOC=malloc",
        works("plain.py", env={"PYTHONMALLOC": "malloc"})),
    Row("pythonmalloc-debug", "16", "PYTHONMALLOC=debug",
        works("plain.py", env={"PYTHONMALLOC": "debug"})),
    Row("dlopen", "17; threat 15", "dlopen and dlclose all the time",
        works("native.py", "dlopen", is_steady=False)),
    Row("import", "17", "imports, numpy loaded", works("native.py", "huge_import",
                                                      is_steady=False),
        on=debian, needs=python_modules("numpy")),
    Row("constructor", "17", "a library's constructor takes the GIL",
        works("native.py", "constructor", is_steady=False), on=few),
    Row("hold-gil", "18", "a C call that holds the GIL for 1.5 s",
        works("native.py", "hold_gil", "1.5", may_refuse=True), on=few, weight=0.4),
    Row("hold-gil-10s", "18", "a C call that holds the GIL for 10 s",
        works("native.py", "hold_gil", "10", may_refuse=True), on=few, weight=0.1, short=0),
    Row("busy-in-c", "18", "a thread that never leaves its C code", works("native.py", "busy")),
    Row("all-registers", "5.2", "all registers, flags, rounding modes, red zone and errno in use",
        works("registers.py"), on=on_host, needs=programs("cc")),
    Row("rare-switches", "18", "sys.setswitchinterval(2)",
        works("native.py", "rare_switches", may_refuse=True), on=few, weight=0.5),
    Row("descriptors", "7", "the lowest free descriptor is closed and taken again all the time",
        works("descriptors.py"), short=EACH(4)),
    Row("threads-4", "19", "4 threads compute", works("plain.py", "4", is_steady=False)),
    Row("threads-100", "19", "100 threads asleep", works("threads.py", "sleepers", "100")),
    Row("threads-2000", "19; threat 15", "2,000 threads asleep",
        works("threads.py", "sleepers", "2000"), on=few),
    Row("thread-churn", "19", "threads come and go", works("threads.py", "churn",
                                                           is_steady=False)),
    Row("small-stacks", "19", "20 threads with the smallest stacks, 32 KiB or more",
        works("threads.py", "small", "20")),
    Row("locks", "19", "6 threads that wait for each other", works("threads.py", "locks")),
    Row("recursion", "19", "4,800 calls deep", works("threads.py", "recursion",
                                                     is_steady=False)),
    Row("generators", "19", "generators within generators", works("threads.py", "generators")),
    Row("greenlets", "19", "greenlets", works("threads.py", "greenlets"), on=debian,
        needs=python_modules("greenlet")),
    Row("many-mappings", "28", "50,000 mappings", works("native.py", "many_mappings"), on=few),
    Row("many-libraries", "28", "300 shared objects", works("native.py", "many_libraries"),
        on=on_host),
    cannot("swapped", "28", "target partly swapped out", "this machine has no swap"),
    cannot("cold-cache", "28", "page cache cold",
           "dropping the cache would slow the whole machine"),
]
