# Lives at a limit of its own. Arguments: which limit, and how much of it is left.
import mmap
import resource

kind, left = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0


def address_space_bytes():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * 4096
    except OSError:
        cannot("no /proc in this root")


def full_of_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    kept = []
    try:
        while True:
            kept.append(os.dup(1))
    except OSError:
        return kept


def locked_memory():
    if libc.prctl(65, 1, 0, 0, 0) != 0:  # PR_SET_MDWE: no memory both written and executed
        cannot("this kernel has no MDWE")


compute()
if kind == "address_space":
    used = address_space_bytes() + left
    resource.setrlimit(resource.RLIMIT_AS, (used, used))
elif kind == "descriptors":
    kept = full_of_descriptors()
elif kind == "threads":
    os.setuid(65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
elif kind == "mdwe":
    locked_memory()
elif kind == "no_new_privs":
    expect(libc.prctl(38, 1, 0, 0, 0) == 0, "no_new_privs")
elif kind == "undumpable":
    expect(libc.prctl(4, 0, 0, 0, 0) == 0, "PR_SET_DUMPABLE")
elif kind == "files":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
elif kind == "cpu_idle":
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
elif kind == "nice":
    os.nice(19)
elif kind == "real_time":
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def turn():
    # At a memory limit a digest may not be possible; then it must fail as it fails alone.
    try:
        compute()
    except MemoryError:
        pass
    time.sleep(0.001)


ready()
finish(work(turn))
