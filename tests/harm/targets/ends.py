# Ends in the way that the argument names; everything about its end must be as without heaptop.
# The input's end begins it.


class Slow:
    def __del__(self):
        time.sleep(0.005)


def by_exec_of_a_thread():
    def run():
        os.execv("/bin/sh", ["sh", "-c", "exit 9"])
    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(60)


def by_terminate():
    def on_terminate(number, frame):
        os._exit(8)
    signal.signal(signal.SIGTERM, on_terminate)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def by_exception():
    sys.stderr = open(os.devnull, "w")
    raise RuntimeError("as the test wants")


def by_segmentation_fault():
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def by_dump():
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    os.chdir(sys.argv[2])
    os.kill(os.getpid(), signal.SIGABRT)
    time.sleep(60)


kept = [b"x" * (200 << 20)] if sys.argv[1] == "core" else []


def by_slow_finalizers():
    kept.extend(Slow() for _ in range(20))
    kept.append(kept)


ENDINGS = {
    "return": lambda: None,
    "exit": lambda: sys.exit(5),
    "os_exit": lambda: os._exit(6),
    "exception": by_exception,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": by_segmentation_fault,
    "core": by_dump,
    "terminate": by_terminate,
    "finalizers": by_slow_finalizers,
    "exec": lambda: os.execv("/bin/sh", ["sh", "-c", "exit 9"]),
    "exec_thread": by_exec_of_a_thread,
}
ready()
sys.stdin.read()
ENDINGS[sys.argv[1]]()
