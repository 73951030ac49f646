# Eight threads allocate and compute, a timer signal comes every millisecond, and children
# run in a loop: every digest, child and signal must be as in an undisturbed process.
import subprocess

ticks, over, children = [0], threading.Event(), [0]


def on_tick(number, frame):
    ticks[0] += 1
    bytearray(100)


def run_children():
    while not over.is_set():
        done = subprocess.run(["/bin/sh", "-c", "echo hello; exit 3"], stdout=subprocess.PIPE)
        expect(done.returncode == 3 and done.stdout == b"hello\n", "a child: %r" % done)
        children[0] += 1


def block():
    threads = [threading.Thread(target=compute) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


signal.signal(signal.SIGALRM, on_tick)
ready()
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
runner = threading.Thread(target=run_children)
runner.start()
turns = work(block)
over.set()
runner.join()
signal.setitimer(signal.ITIMER_REAL, 0)
expect(ticks[0] > 0 and children[0] > 0, "no signal or no child came")
finish(turns)
