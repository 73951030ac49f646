# Blocked in one kind of system call, again and again. A wait with an end of its own must last
# at least as long; one that a helper ends must bring what the helper sent. Most calls go past
# Python, which would hide an EINTR. Arguments: the kind; "alone" or "helped" by another thread.
import errno
import fcntl
import shutil
import socket
import struct
import tempfile

WAIT = 0.03
SYSCALLS = {"clock_nanosleep": 230, "futex": 202, "semop": 65, "inotify_init1": 294,
            "inotify_add_watch": 254, "io_setup": 206, "io_getevents": 208,
            "io_uring_setup": 425, "io_uring_enter": 426}


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


def spec(seconds):
    return ctypes.byref(Timespec(int(seconds), int(seconds % 1 * 1e9)))


def call(name, *arguments):
    # As long as a register: ctypes leaves the upper half of a plain number open.
    return libc.syscall(SYSCALLS[name], *[ctypes.c_long(argument) if isinstance(argument, int)
                                          else argument for argument in arguments])


def failed(words, result):
    return wrong("%s: %r, %s" % (words, result, errno.errorcode.get(ctypes.get_errno())))


def lasting(words, wanted, function, *arguments):
    """A wait that nothing ends but its time."""
    began = time.monotonic()
    result = function(*arguments)
    if result != wanted:
        failed(words, result)
    elif time.monotonic() - began < WAIT * 0.99:
        wrong("%s came early: %.6f s" % (words, time.monotonic() - began))


def helper(write, close=(), pause=0.015):
    """A child writes every few milliseconds, so that this process stays as it is."""
    parent = os.getpid()
    if os.fork():
        return
    os.close(0)
    libc.prctl(1, signal.SIGKILL)  # it may wait in write() when its parent ends
    for descriptor in close:
        os.close(descriptor)
    try:
        while os.getppid() == parent:
            time.sleep(pause)
            write()
    finally:
        os._exit(0)


def _pair(kind):
    if kind == "pipe":
        return os.pipe()
    if kind == "tty":
        import tty
        ours, theirs = map(int, os.environ["HARM_TERMINAL"].split())
        tty.setraw(theirs)
        return theirs, ours
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


def readable(kind):
    reads, writes = _pair(kind)
    helper(lambda: os.write(writes, b"x"), [reads])
    return reads


def make_read(kind):
    reads, buffer = readable(kind), ctypes.create_string_buffer(1)

    def wait():
        result = libc.read(reads, buffer, 1)
        if result != 1 or buffer.raw != b"x":
            failed("read from a " + kind, result)
    return wait


def make_read_file(path):
    """A page that must come from where the file lies."""
    descriptor = os.open(path, os.O_RDONLY)

    def wait():
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        buffer = ctypes.create_string_buffer(4096)
        result = libc.read(descriptor, buffer, 4096)
        if result != 4096 or buffer.raw != b"x" * 4096:
            failed("read from " + path, result)
        os.lseek(descriptor, 0, os.SEEK_SET)
    return wait


BLOCK = bytes(range(251)) * 4000


def drain(descriptor, seen):
    data = os.read(descriptor, 1 << 16)
    at = sum(seen) % 251
    if data != BLOCK[at:at + len(data)]:
        os._exit(1)  # and the writer gets an EPIPE
    seen[:] = [at + len(data)]


def make_write(kind):
    """A part is written when it waits; the result must be all of it."""
    reads, writes = _pair(kind)
    helper(lambda seen=[]: drain(reads, seen), [writes], 0.002)
    os.close(reads)
    send = libc.write if kind == "pipe" else lambda *words: libc.send(*words, 0)

    def wait():
        result = send(writes, BLOCK, len(BLOCK))
        if result != len(BLOCK):
            failed("write to a " + kind, result)
    return wait


def make_recv_all():
    reads, writes = _pair("socket")
    buffer = ctypes.create_string_buffer(len(BLOCK) // 100)
    helper(lambda: os.write(writes, BLOCK[:len(buffer) // 10]), [reads], 0.002)

    def wait():
        result = libc.recv(reads, buffer, len(buffer), 0x100)  # MSG_WAITALL
        if result != len(buffer) or buffer.raw != BLOCK[:len(buffer) // 10] * 10:
            failed("recv with MSG_WAITALL", result)
    return wait


def make_write_signal():
    """Nobody reads: a signal ends the write, and what was written is the result."""
    reads, writes = os.pipe()
    signal.signal(signal.SIGALRM, lambda *_: None)

    def wait():
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, WAIT, WAIT)
        result = libc.write(writes, BLOCK, len(BLOCK))
        signal.setitimer(signal.ITIMER_REAL, 0)
        if result <= 0 or os.read(reads, len(BLOCK)) != BLOCK[:result]:
            failed("a write that a signal ends", result)
        expect(time.monotonic() - began < 5, "no signal ends a write")
    return wait


FOREIGN = r"""
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
static int poller, pipes[2];
int harm_errors;
static void *wait_for_ever(void *nothing)
{
    struct epoll_event event;
    for (;;)
        if (epoll_wait(poller, &event, 1, -1) != 1)
            harm_errors++;
        else if (read(pipes[0], &event, 1) != 1)
            harm_errors++;
    return nothing;
}
int harm_begin(void)
{
    struct epoll_event event = {EPOLLIN, {0}};
    pthread_t thread;
    poller = epoll_create(1);
    return pipe(pipes) || epoll_ctl(poller, EPOLL_CTL_ADD, pipes[0], &event) ||
           pthread_create(&thread, NULL, wait_for_ever, NULL);
}
"""


def make_epoll_foreign():
    """A thread that knows nothing of Python waits, and is no host for the agent."""
    import subprocess
    folder = tempfile.TemporaryDirectory()
    library = os.path.join(folder.name, "harm.so")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-pthread", "-x", "c", "-", "-o", library],
                       input=FOREIGN.encode(), check=True)
    except (OSError, subprocess.SubprocessError):
        cannot("no C compiler here")
    foreign = ctypes.CDLL(library)
    make_epoll_foreign.kept = folder
    expect(foreign.harm_begin() == 0, "the thread did not start")
    errors = ctypes.c_int.in_dll(foreign, "harm_errors")

    def wait():
        compute()
        expect(errors.value == 0, "%d waits of the C thread ended" % errors.value)
    return wait


def make_connect():
    """A full backlog lets no connection in until the helper makes room."""
    server = socket.socket(socket.AF_UNIX)
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "s")
    server.bind(path)
    server.listen(0)

    def accept():
        server.accept()[0].close()
    helper(accept)
    address = struct.pack("H", socket.AF_UNIX) + path.encode() + b"\0"

    def wait():
        ours = socket.socket(socket.AF_UNIX)
        result = libc.connect(ours.fileno(), address, len(address))
        if result != 0:
            failed("connect", result)
        ours.close()
    wait.end = lambda: shutil.rmtree(folder, ignore_errors=True)
    return wait


def make_nanosleep():
    return lambda: lasting("nanosleep", 0, libc.nanosleep, spec(WAIT), None)


def make_clock_nanosleep():
    def wait():
        until = time.clock_gettime(time.CLOCK_MONOTONIC) + WAIT
        lasting("clock_nanosleep", 0, lambda: call("clock_nanosleep", 1, 1, spec(until), None))
    return wait


def make_select():
    def wait():  # a struct timeval, which the kernel changes
        limit = Timespec(0, int(WAIT * 1e6))
        lasting("select", 0, libc.select, 0, None, None, None, ctypes.byref(limit))
    return wait


def make_poll():
    return lambda: lasting("poll", 0, libc.poll, None, 0, int(WAIT * 1000))


def make_ppoll():
    return lambda: lasting("ppoll", 0, libc.ppoll, None, 0, spec(WAIT), None)


def make_epoll_endless():
    reads = readable("pipe")
    poller, events = select.epoll(), ctypes.create_string_buffer(64)
    poller.register(reads, select.EPOLLIN)

    def wait():
        result = libc.epoll_wait(poller.fileno(), events, 1, -1)
        if result != 1:
            failed("an endless epoll_wait", result)
        os.read(reads, 100)
    return wait


def make_epoll_finite():
    poller, events = select.epoll(), ctypes.create_string_buffer(64)
    return lambda: lasting("epoll_wait", 0, libc.epoll_wait, poller.fileno(), events, 1,
                           int(WAIT * 1000))


def make_epoll_of_python():
    poller = select.epoll()
    return lambda: lasting("epoll.poll", [], poller.poll, WAIT)


def make_recv_timeout():
    ours, _theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(WAIT * 1e6)))
    make_recv_timeout.kept = ours, _theirs
    buffer = ctypes.create_string_buffer(1)

    def wait():
        began = time.monotonic()
        result = libc.recv(ours.fileno(), buffer, 1, 0)
        if result != -1 or ctypes.get_errno() != errno.EAGAIN:
            failed("recv with a time-out", result)
        elif time.monotonic() - began < WAIT * 0.9:  # the kernel counts it in ticks
            wrong("recv with a time-out came early")
    return wait


def make_recv_of_python():
    ours, theirs = socket.socketpair()
    ours.settimeout(WAIT)
    make_recv_of_python.kept = theirs

    def receive():
        try:
            return ours.recv(1)
        except socket.timeout:
            return "time-out"
    return lambda: lasting("socket.recv", "time-out", receive)


def make_accept():
    server = socket.create_server(("127.0.0.1", 0))
    make_accept.kept = server
    address = server.getsockname()

    def write():
        socket.create_connection(address).close()
    helper(write)

    def wait():
        result = libc.accept(server.fileno(), None, None)
        if result < 0:
            failed("accept", result)
        else:
            os.close(result)
    return wait


def make_futex():
    word = ctypes.c_uint32(0)

    def wait():
        began = time.monotonic()
        result = call("futex", ctypes.byref(word), 128, 0, spec(WAIT), None, 0)
        if result != -1 or ctypes.get_errno() != errno.ETIMEDOUT:
            failed("futex", result)
        elif time.monotonic() - began < WAIT * 0.99:
            wrong("futex came early")
    return wait


def make_lock():
    lock = threading.Lock()
    lock.acquire()
    return lambda: lasting("a lock", False, lock.acquire, True, WAIT)


def make_flock():
    file = tempfile.NamedTemporaryFile()
    mine, theirs = os.open(file.name, os.O_RDWR), os.open(file.name, os.O_RDWR)
    make_flock.kept = file
    fcntl.flock(theirs, fcntl.LOCK_EX)
    os.set_inheritable(theirs, True)

    def write():  # let go for a moment, then take it again
        fcntl.flock(theirs, fcntl.LOCK_UN)
        time.sleep(0.002)
        fcntl.flock(theirs, fcntl.LOCK_EX)
    helper(write, [mine])

    def wait():
        result = libc.flock(mine, fcntl.LOCK_EX)
        if result != 0:
            failed("flock", result)
        libc.flock(mine, fcntl.LOCK_UN)
        time.sleep(0.003)
    return wait


def make_wait4():
    def wait():
        pid = os.fork()
        if pid == 0:
            time.sleep(WAIT)
            os._exit(7)
        status = ctypes.c_int(0)
        result = libc.waitpid(pid, ctypes.byref(status), 0)
        if result != pid or status.value != 7 << 8:
            failed("waitpid", (result, status.value))
    return wait


def make_semop():
    identity = libc.semget(0, 1, 0o600)
    if identity < 0:
        cannot("no System V semaphores here")
    operation = struct.pack("Hhh", 0, -1, 0)
    gives = struct.pack("Hhh", 0, 1, 0)
    helper(lambda: call("semop", identity, gives, 1))

    def wait():
        result = call("semop", identity, operation, 1)
        if result != 0:
            failed("semop", result)
    wait.end = lambda: libc.semctl(identity, 0, 0)
    return wait


def make_msgrcv():
    queue = libc.msgget(0, 0o600)
    if queue < 0:
        cannot("no System V message queues here")
    message, buffer = struct.pack("l", 1) + b"x", ctypes.create_string_buffer(16)
    helper(lambda: libc.msgsnd(queue, message, 1, 0))

    def wait():
        result = libc.msgrcv(queue, buffer, 1, 0, 0)
        if result != 1:
            failed("msgrcv", result)
    wait.end = lambda: libc.msgctl(queue, 0, None)
    return wait


def make_inotify():
    descriptor = call("inotify_init1", 0)
    folder = tempfile.mkdtemp()
    if call("inotify_add_watch", descriptor, folder.encode(), 0x100) < 0:
        cannot("no inotify here")
    count = [0]

    def write():
        count[0] += 1
        open(os.path.join(folder, str(count[0])), "w").close()
    helper(write)
    buffer = ctypes.create_string_buffer(4096)

    def wait():
        result = libc.read(descriptor, buffer, 4096)
        if result <= 0:
            failed("read from inotify", result)
    wait.end = lambda: shutil.rmtree(folder, ignore_errors=True)
    return wait


def make_io_getevents():
    context = ctypes.c_ulong(0)
    if call("io_setup", 4, ctypes.byref(context)) != 0:
        cannot("no asynchronous I/O here")
    events = ctypes.create_string_buffer(128)
    return lambda: lasting("io_getevents", 0, lambda: call(
        "io_getevents", context, 1, 4, events, spec(WAIT)))


def make_io_uring():
    parameters = ctypes.create_string_buffer(120)
    ring = call("io_uring_setup", 4, parameters)
    if ring < 0:
        cannot("no io_uring here: %s" % errno.errorcode.get(ctypes.get_errno()))
    kept = Timespec(0, int(WAIT * 1e9))
    argument = struct.pack("QIIQ", 0, 8, 0, ctypes.addressof(kept))

    def wait():
        began = time.monotonic()
        # IORING_ENTER_GETEVENTS and IORING_ENTER_EXT_ARG
        result = call("io_uring_enter", ring, 0, 1, 1 | 8, argument, len(argument))
        if result != -1 or ctypes.get_errno() != errno.ETIME:
            failed("io_uring_enter", result)
        elif time.monotonic() - began < kept.nsec * 0.99e-9:
            wrong("io_uring_enter came early")
    return wait


def make_sigtimedwait():
    def wait():
        began = time.monotonic()
        if signal.sigtimedwait([signal.SIGUSR1], WAIT) is not None:
            wrong("sigtimedwait brought a signal that nobody sent")
        elif time.monotonic() - began < WAIT * 0.99:
            wrong("sigtimedwait came early")
    return wait


wait = globals()["make_" + sys.argv[1]](*sys.argv[3:])
others = []
if sys.argv[2] == "helped":
    # Another thread that may be borrowed instead.
    gate = threading.Event()
    others.append(threading.Thread(target=gate.wait))
    others[0].start()
wait()
del _wrong[:]
ready()
turns = work(wait)
finish(turns)
if hasattr(wait, "end"):
    wait.end()
if others:
    gate.set()
