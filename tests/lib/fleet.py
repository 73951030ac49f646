"""A service of forked workers: gunicorn's, or one that forks by itself.

    with Gunicorn(workers=8) as service:     # its first worker leaks
        service.leaker()                     # that worker's PID
    with Forks(workers=4, data_mib=20) as service:
        service.pid; service.workers         # they wait, and do nothing

heaptop --tree is asked with `tree(pid, ...)` and `Stream`.
"""
import datetime
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import heaptop
import service as services

LIB = os.path.dirname(os.path.abspath(__file__))


def missing_gunicorn():
    """Why there is no gunicorn; None when there is."""
    done = subprocess.run([services.PYTHON, "-c", "import gunicorn"], stderr=subprocess.PIPE)
    return None if done.returncode == 0 else "gunicorn is not installed"


def stream(target, *options):
    return heaptop.Stream(target, "--tree", *options)


def tree(target, *options, timeout=60):
    """One complete sample."""
    done = heaptop.run("--tree", "-b", "-o", "json", "-n", 1, *(options + (target,)),
                       timeout=timeout)
    if done.status:
        raise heaptop.Failed("exit status %d: %s" % (done.status, done.err.strip()))
    return json.loads(done.out)


def rollup(pid, *names):
    """Bytes of these fields of smaps together."""
    with open("/proc/%d/smaps_rollup" % pid) as file:
        fields = dict(line.split()[:2] for line in file.readlines()[1:])
    return sum(int(fields[name + ":"]) for name in names) << 10


def seconds(text):
    """Since the epoch, of a time in JSON."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def rows(sample):
    return {row["pid"]: row for row in sample["processes"]}


class Gunicorn:
    CONFIGURATION = '''
import threading, time

def leak():
    kept = []
    while len(kept) < 4000:
        kept.append([object() for _ in range(2000)])
        time.sleep(0.01)
    threading.Event().wait()

def post_fork(server, worker):
    if worker.age == 1:
        open("leaker", "w").write(str(worker.pid))
        threading.Thread(target=leak, daemon=True).start()
'''
    APPLICATION = '''
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
'''

    def __init__(self, workers=8):
        self.folder = tempfile.mkdtemp(prefix="heaptop-fleet-")
        for name, text in (("conf.py", self.CONFIGURATION), ("app.py", self.APPLICATION)):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        self.process = subprocess.Popen(
            [services.PYTHON, "-m", "gunicorn", "-w", str(workers), "-c", "conf.py", "--preload",
             "-b", "127.0.0.1:%d" % services.free_port(), "app:application"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def leaker(self, timeout=60):
        deadline = time.monotonic() + timeout
        path = os.path.join(self.folder, "leaker")
        while time.monotonic() < deadline:
            if os.path.exists(path) and os.path.getsize(path):
                with open(path) as file:
                    return int(file.read())
            time.sleep(0.05)
        raise heaptop.Failed("gunicorn has no worker after %g s" % timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Forks:
    """A parent with data, and workers that do what `work` says (of a list each the next);
    each line that is sent to the parent is one more worker."""
    PROGRAM = '''
import gc, os, signal, sys
class Node:
    def __init__(self, i):
        self.a, self.b = i, [i]
data = [Node(i) for i in range(%(objects)d)]
text = ["word %%d" %% i for i in range(%(objects)d)]
gc.collect()
%(before)s
works = %(works)r
def worker(number):
    %(after)s
    exec(works[number %% len(works)])
    os.write(1, b"%%d\\n" %% os.getpid())
    signal.pause()
forked = 0
def fork():
    global forked
    if os.fork() == 0:
        worker(forked)
        os._exit(0)
    forked += 1
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    fork()
'''

    def __init__(self, workers=4, objects=20000, work="pass", before="pass", after="pass",
                 python=None):
        works = [work] if isinstance(work, str) else work
        self.process = subprocess.Popen(
            (python.command if python else [services.PYTHON]) +
            ["-c", self.PROGRAM % {"objects": objects, "works": works, "before": before,
                                   "after": after}],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.workers = []
        for _ in range(workers):
            self.fork()

    def _next(self):
        return int(self.process.stdout.readline())

    def fork(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.workers.append(self._next())
        return self.workers[-1]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for pid in self.workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
