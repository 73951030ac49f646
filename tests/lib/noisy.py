"""A target that computes a digest under noise, over and over.

Eight threads allocate and compute, a timer signal comes every millisecond, and
children run in a loop. Every digest must equal that of an undisturbed run.
"""
import hashlib
import signal
import subprocess
import sys
import threading

STEPS = 1500
digests = [None] * 8
errors = []


def on_tick(number, frame):
    bytearray(100)


def work(i):
    try:
        h = hashlib.sha256()
        x, d = i + 1.5, {}
        for n in range(STEPS):
            x = (x * 1.000000119 + n / 3.0) % 1e6
            rows = [bytearray((n * 7 + k) % 900 + 1) for k in range(20)]
            d[n % 500] = (x, rows, {"a": n})
            h.update(repr((n, x, sum(map(len, rows)), len(d))).encode())
        digests[i] = h.hexdigest()
    except BaseException as error:
        errors.append(repr(error))


def block():
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return hashlib.sha256(repr(digests).encode()).hexdigest()


def children(over, counts):
    while not over.is_set():
        done = subprocess.run(["/bin/sh", "-c", "echo hello; exit 3"], stdout=subprocess.PIPE)
        if done.returncode != 3 or done.stdout != b"hello\n":
            errors.append(repr(done))
        counts[0] += 1


def main():
    if sys.argv[1:] == ["quiet"]:
        print(block())
        return
    over, stop, counts, found = threading.Event(), threading.Event(), [0], set()
    signal.signal(signal.SIGALRM, on_tick)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    runner = threading.Thread(target=children, args=(over, counts))
    runner.start()
    blocks = 0
    print("ready", flush=True)
    while not stop.is_set():
        found.add(block())
        blocks += 1
    over.set()
    runner.join()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(" ".join(sorted(found)), blocks, counts[0], errors)


main()
