# Time spent in C: with the GIL, without it, in the allocator, in the loader.
import subprocess
import tempfile

held = ctypes.PyDLL(None)


def hold_gil(seconds):
    return lambda: (held.usleep(int(seconds * 1e6)), nap_exactly(0.01), compute())


def busy_without_gil():
    """A thread that never comes back to Python, beside one that does."""
    text = ctypes.create_string_buffer(b"x" * (8 << 20))
    over = []

    def run():
        while not over:
            expect(libc.strlen(text) == 8 << 20, "strlen counted wrong")
    thread = threading.Thread(target=run)
    thread.start()
    return compute, lambda: (over.append(True), thread.join())


def rare_switches():
    sys.setswitchinterval(2)
    return lambda: (compute(), nap_exactly(0.005))


def malloc_loop(n_threads):
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    over = []

    def run():
        kept = [None] * 50
        i = 0
        while not over:
            i += 1
            at = i % len(kept)
            libc.free(kept[at])
            kept[at] = libc.malloc(5000 + i % 4000)
            ctypes.memset(kept[at], i % 251, 16)
            if ctypes.string_at(kept[at], 16) != bytes([i % 251]) * 16:
                wrong("malloc's memory changed")
        for one in kept:
            libc.free(one)
    threads = [threading.Thread(target=run) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    return compute, lambda: (over.append(True), [thread.join() for thread in threads])


def _find(name):
    import ctypes.util
    return ctypes.util.find_library(name) or cannot("no lib%s here" % name)


def dlopen_loop():
    import _ctypes
    name = _find("z") if not os.environ.get("HARM_LIBRARY") else os.environ["HARM_LIBRARY"]

    def turn():
        handle = _ctypes.dlopen(name, os.RTLD_NOW)
        expect(_ctypes.dlclose(handle) is None, "dlclose failed")
    return turn


def huge_import():
    """Imports a large extension in a child of its own each time: this process forks too."""
    try:
        import numpy
    except ImportError:
        cannot("no numpy for this interpreter")

    def turn():
        for name in [name for name in sys.modules if name.split(".")[0] == "decimal"]:
            del sys.modules[name]
        import decimal
        expect(decimal.Decimal(2) ** 10 == 1024, "decimal is wrong")
        found = int(numpy.arange(20000, dtype=numpy.int64).sum())
        expect(found == 199990000, "numpy found %d" % found)
    return turn


CONSTRUCTOR = r"""
int PyGILState_Ensure(void); void PyGILState_Release(int); int usleep(unsigned);
__attribute__((constructor)) static void begin(void)
{ int s = PyGILState_Ensure(); usleep(2000); PyGILState_Release(s); }
"""


def constructor():
    """A library whose constructor, with the loader's lock held, takes the GIL."""
    import _ctypes
    folder = tempfile.TemporaryDirectory()
    constructor.kept = folder
    library = os.path.join(folder.name, "harm.so")
    try:
        done = subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library],
                              input=CONSTRUCTOR.encode(), stderr=subprocess.PIPE)
    except OSError:
        cannot("no C compiler here")
    expect(done.returncode == 0, done.stderr)

    def load():
        handle = _ctypes.dlopen(library, os.RTLD_NOW)
        _ctypes.dlclose(handle)

    def turn():
        # dlopen of _ctypes keeps the GIL, so the constructor takes what its thread has.
        load()
        compute()
    return turn


def many_libraries():
    """300 shared objects, each its own file."""
    import shutil
    folder = tempfile.TemporaryDirectory()
    many_libraries.kept = folder, []
    library = os.path.join(folder.name, "0.so")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library],
                       input=b"int harm(void) { return 7; }", check=True)
    except (OSError, subprocess.SubprocessError):
        cannot("no C compiler here")
    for n in range(1, 300):
        copy = os.path.join(folder.name, "%d.so" % n)
        shutil.copyfile(library, copy)
        many_libraries.kept[1].append(ctypes.CDLL(copy))
    return lambda: expect(all(one.harm() == 7 for one in many_libraries.kept[1]), "a call failed")


def many_mappings(n=50000):
    """A maps file of many lines: neighbours differ in protection, so none are joined."""
    import mmap
    try:
        with open("/proc/sys/vm/max_map_count") as file:
            n = min(n, int(file.read()) - 2000)
    except OSError:
        pass  # no /proc in this root
    memory = mmap.mmap(-1, n * 4096)
    many_mappings.kept = memory
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in range(0, n, 2):
        if libc.mprotect(ctypes.c_void_p(start + page * 4096), 4096, 1) != 0:
            cannot("no more than %d mappings here" % page)
    return compute


end = None
turn = {"hold_gil": lambda: hold_gil(float(sys.argv[2])), "busy": busy_without_gil,
        "rare_switches": rare_switches, "malloc": lambda: malloc_loop(int(sys.argv[2])),
        "dlopen": dlopen_loop, "huge_import": huge_import, "constructor": constructor,
        "many_libraries": many_libraries, "many_mappings": many_mappings}[sys.argv[1]]()
if isinstance(turn, tuple):
    turn, end = turn
ready()
turns = work(turn)
if end:
    end()
    _at_first["threads"] = 1
finish(turns)
