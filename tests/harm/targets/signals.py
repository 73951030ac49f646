# Receives signals, or ignores or blocks them, in the way that the argument names. None may
# be lost, none may come that was not sent, and what is set must stay set.
import faulthandler

got = [0]


def count(number, frame):
    got[0] += 1
    bytearray(50)


def timer_of(seconds):
    signal.signal(signal.SIGALRM, count)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)

    def turn():
        before, deadline = got[0], time.monotonic() + 30
        while got[0] == before and time.monotonic() < deadline:
            compute()
        expect(got[0] > before, "no timer signal came")
    return turn, lambda: signal.setitimer(signal.ITIMER_REAL, 0)


def sender(number, seconds=0.01):
    """A child that signals this process, one at a time, told to by a pipe."""
    reads, writes = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        os.close(writes)
        os.close(0)
        while os.read(reads, 1):
            time.sleep(seconds)
            os.kill(parent, number)
        os._exit(0)
    os.close(reads)
    return writes


def handled_by_pause():
    # A pause that begins after its signal would wait for ever: the timer ends that.
    signal.signal(signal.SIGALRM, count)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    def turn():
        before = got[0]
        signal.pause()
        expect(got[0] > before, "pause ended without a signal")
    return turn, lambda: signal.setitimer(signal.ITIMER_REAL, 0)


def taken_by_sigwait():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    asks = sender(signal.SIGUSR1)

    def turn():
        os.write(asks, b"x")
        expect(signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1, "sigwait: another signal")
    return turn, lambda: os.close(asks)


def told_by_wakeup():
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes)
    signal.signal(signal.SIGUSR1, count)
    asks = sender(signal.SIGUSR1)

    def turn():
        os.write(asks, b"x")
        expect(select.select([reads], [], [], 30)[0], "no byte at the wake-up descriptor")
        expect(os.read(reads, 10) == bytes([signal.SIGUSR1]), "another byte")
    return turn, lambda: (os.close(asks), signal.set_wakeup_fd(-1))


def counted_by_threads():
    # Signals for the process, while other threads work: the handler runs in the main thread.
    signal.signal(signal.SIGUSR1, count)
    asks, over = sender(signal.SIGUSR1, 0.001), threading.Event()
    threads = [threading.Thread(target=lambda: [compute() for _ in iter(over.is_set, True)])
               for _ in range(3)]
    for thread in threads:
        thread.start()

    def turn():
        before, deadline = got[0], time.monotonic() + 30
        os.write(asks, b"x")
        while got[0] == before and time.monotonic() < deadline:
            time.sleep(0.001)
        expect(got[0] == before + 1, "%d signals came, not 1" % (got[0] - before))
    return turn, lambda: (over.set(), [thread.join() for thread in threads], os.close(asks))


def faults_ignored():
    for number in (signal.SIGSEGV, signal.SIGTRAP, signal.SIGBUS, signal.SIGILL, signal.SIGFPE):
        signal.signal(number, signal.SIG_IGN)
    return compute, None


def faults_blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSEGV, signal.SIGTRAP, signal.SIGBUS])
    return compute, None


def faults_handled():
    faulthandler.enable()
    signal.signal(signal.SIGTRAP, count)

    def turn():
        compute()
        expect(got[0] == 0 and faulthandler.is_enabled(), "a trap signal came")
    return turn, faulthandler.disable


def all_blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    return compute, None


def own_stack():
    class Stack(ctypes.Structure):
        _fields_ = [("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]
    memory = ctypes.create_string_buffer(1 << 17)
    own_stack.kept = memory
    libc.sigaltstack(ctypes.byref(Stack(ctypes.addressof(memory), 0, len(memory))), None)

    def turn():
        now = Stack()
        compute()
        libc.sigaltstack(None, ctypes.byref(now))
        expect(now.sp == ctypes.addressof(memory) and now.size == len(memory),
               "the signal stack is another")
    return turn, None


turn, end = {"itimer": lambda: timer_of(0.001), "itimer_10khz": lambda: timer_of(0.0001),
             "pause": handled_by_pause, "sigwait": taken_by_sigwait, "wakeup": told_by_wakeup,
             "threads": counted_by_threads, "ignored": faults_ignored, "blocked": faults_blocked,
             "faulthandler": faults_handled, "all_blocked": all_blocked,
             "own_stack": own_stack}[sys.argv[1]]()
ready()
turns = work(turn)
if sys.argv[1] in ("threads",):
    end()
    _at_first["threads"] = threading.active_count()
elif end:
    end()
finish(turns)
