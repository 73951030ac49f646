# Eight threads allocate and compute, a timer signal comes every millisecond, and children
# run in a loop: every digest, child and signal must be as in an undisturbed process.
import subprocess

# There a signal that meets a thread waiting for another ends the process now and then, with
# or without heaptop (CPython issue 148820).
MAY_NOT_WAIT = (3, 13) <= sys.version_info < (3, 13, 14) or \
    (3, 14) <= sys.version_info < (3, 14, 5)
ticks, over, children = [0], threading.Event(), [0]


def on_tick(number, frame):
    ticks[0] += 1
    bytearray(100)


def run_children():
    while not over.is_set():
        done = subprocess.run(["/bin/sh", "-c", "echo hello; exit 3"], stdout=subprocess.PIPE)
        expect(done.returncode == 3 and done.stdout == b"hello\n", "a child: %r" % done)
        children[0] += 1


def eight(function, *arguments):
    return [threading.Thread(target=function, args=arguments) for _ in range(8)]


def block():
    threads = eight(compute)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


signal.signal(signal.SIGALRM, on_tick)
ready()
others = [threading.Thread(target=run_children)]
others += eight(work, compute) if MAY_NOT_WAIT else []
for thread in others:
    thread.start()
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
turns = work(compute if MAY_NOT_WAIT else block)
late = time.monotonic() + 60
while not (ticks[0] and children[0]) and time.monotonic() < late:
    compute()
over.set()
signal.setitimer(signal.ITIMER_REAL, 0)
for thread in others:
    thread.join()
expect(ticks[0] > 0 and children[0] > 0, "no signal or no child came")
finish(turns)
