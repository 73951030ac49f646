# Makes children in the way that the argument names; every child must do its work and end with
# its status within seconds, whatever its parent's threads did while it was made.
import subprocess


def reap(pid, wanted, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        got, status = os.waitpid(pid, os.WNOHANG)
        if got:
            return expect(status == wanted << 8, "a child ended with wait status %d" % status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return wrong("a child hung")
        time.sleep(0.0005)


def by_fork():
    pid = os.fork()
    if pid == 0:
        import json as again
        gc.collect()
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        os._exit(100 if digest(10) == TEN and again else 1)
    reap(pid, 100)


def by_any():
    """One child at a time, of which waitpid(-1) and SIGCHLD tell, and of no other."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    expect(os.waitpid(-1, 0) == (pid, 0), "a child that is not the target's own")
    born.append(pid)
    expect(len(told) == len(born), "%d SIGCHLD for %d children" % (len(told), len(born)))
    try:
        wrong("one child too many: %r" % (os.waitpid(-1, os.WNOHANG),))
    except ChildProcessError:
        pass


def by_fork_in_a_thread():
    thread = threading.Thread(target=by_fork)
    thread.start()
    thread.join(30)
    expect(not thread.is_alive(), "a thread that forks hung")


def by_subprocess():
    done = subprocess.run(["/bin/sh", "-c", "cat; exit 3"], input=b"hello",
                          stdout=subprocess.PIPE, timeout=30)
    expect(done.returncode == 3 and done.stdout == b"hello", "a child: %r" % done)


def by_spawn():
    reap(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 4"], dict(os.environ)), 4)


def by_pool():
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(pool_work, range(8)).get(60)
    expect(found == [n * n for n in range(8)], "a pool found %r" % found)


def pool_work(n):
    import decimal
    import email.parser
    gc.collect()
    return int(decimal.Decimal(n) ** 2) if email.parser else None


def by_slow_vfork():
    # subprocess uses vfork where it can; the child runs a while before its exec.
    done = subprocess.run(["/bin/sh", "-c", "sleep 0.01; exit 6"], timeout=30, close_fds=True)
    expect(done.returncode == 6, "a child: %r" % done)


def by_daemon():
    pid = os.fork()
    if pid == 0:
        os.setsid()
        grandchild = os.fork()
        if grandchild == 0:
            os.closerange(3, 256)
            gc.collect()
            os._exit(0 if digest(10) == TEN else 1)
        os._exit(os.waitpid(grandchild, 0)[1] >> 8 or 11)
    reap(pid, 11)


def by_exec():
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", "raise SystemExit(12)"])
    reap(pid, 12)


TEN = digest(10)
# The first thread that ends loads it; who is forked meanwhile dies in ld.so or libgcc.
try:
    ctypes.CDLL("libgcc_s.so.1")
except OSError:
    pass  # musl's threads end without it
threading.Thread(target=lambda: None).start()  # without a GIL the agent's must not be the first
born, told = [], []
if sys.argv[1] == "any":
    signal.signal(signal.SIGCHLD, lambda number, frame: told.append(number))
ready()
finish(work(globals()["by_" + sys.argv[1]]))
