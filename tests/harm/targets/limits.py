# Lives at a limit of its own. Arguments: which limit, and how much of it is left.
import mmap
import resource

kind, left = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0


def has_room(limit):
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        mmap.mmap(-1, 4096).close()
        return True
    except (OSError, MemoryError):
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)


def address_space_bytes():
    """The smallest limit under which one page more can be had: not every root has /proc."""
    low, high = 0, 1 << 46
    while high - low > 4096:
        middle = (low + high) // 2
        low, high = (low, middle) if has_room(middle) else (middle, high)
    return high


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


def change_groups():
    groups = [len(os.getgroups()) % 3 + 1, 77]
    os.setgroups(groups)
    found = []
    thread = threading.Thread(target=lambda: found.extend(os.getgroups()))
    thread.start()
    thread.join()
    expect(sorted(found) == sorted(groups), "groups of a thread: %r" % found)


def change_groups_often():
    """Each change waits for every thread, and keeps new ones from being made meanwhile."""
    for i in range(200):
        os.setgroups([i % 3 + 1, 77])
    expect(sorted(os.getgroups()) == [2, 77], "groups: %r" % os.getgroups())


def change_groups_in_c():
    """Without the GIL, so that Python code runs meanwhile."""
    groups = (ctypes.c_uint * 2)(1, 77)
    while not gate.is_set():
        for _ in range(50):
            libc.setgroups(ctypes.c_size_t(2), groups)


def turn():
    if kind == "groups":
        change_groups()
    elif kind == "groups_beside":
        change_groups_often()
    # At a memory limit a digest may not be possible; then it must fail as it fails alone.
    try:
        compute()
    except MemoryError:
        pass
    time.sleep(0.001)


gate = threading.Event()
if kind == "groups_beside":  # another thread may be borrowed instead
    threading.Thread(target=gate.wait).start()
elif kind == "groups_in_c":
    threading.Thread(target=change_groups_in_c).start()
ready()
turns = work(turn)
finish(turns)
gate.set()
