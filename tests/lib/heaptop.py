"""Runs the built program.

    import heaptop
    samples = heaptop.samples(pid, count=3, delay=0.5)         # list of JSON objects
    sample = heaptop.sample(pid, "--agent=never")              # one, complete
    run = heaptop.run("-b", str(pid))                          # .status .out .err
    with heaptop.Stream(pid, "-d", "0.2") as stream:           # while things happen
        sample = stream.until(lambda s: s["gc"] is not None, timeout=10)
"""
import collections
import json
import os
import select
import subprocess
import time

Run = collections.namedtuple("Run", "status out err")


def program():
    found = os.environ.get("HEAPTOP")
    if not found:
        here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        found = os.path.join(here, "build", "heaptop")
    return found


def is_built():
    return os.access(program(), os.X_OK)


def run(*arguments, timeout=60, env=None, stdin=subprocess.DEVNULL):
    environment = dict(os.environ)
    environment.update(env or {})
    done = subprocess.run([program()] + [str(word) for word in arguments], stdin=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                          env=environment)
    return Run(done.returncode, done.stdout.decode("utf-8", "strict"),
               done.stderr.decode("utf-8", "replace"))


class Failed(Exception):
    pass


def samples(pid, *options, count=1, delay=0.5, timeout=60):
    result = run("-b", "-o", "json", "-n", count, "-d", delay, *(options + (pid,)),
                 timeout=timeout)
    if result.status != 0:
        raise Failed("exit status %d: %s" % (result.status, result.err.strip()))
    parsed = [json.loads(line) for line in result.out.splitlines() if line.strip()]
    if len(parsed) != count:
        raise Failed("%d samples instead of %d: %s" % (len(parsed), count, result.err))
    return parsed


def sample(pid, *options, timeout=60):
    return samples(pid, *options, count=1, timeout=timeout)[0]


def kinds(sample_):
    """{kind: row} of a sample's objects section."""
    return {row["kind"]: row for row in sample_["objects"]["kinds"]}


def types(sample_):
    """As kinds(), with the rows of dicts as one: to the interpreter they are all dicts."""
    found, dicts = {}, {"count": 0, "size_bytes": 0, "memory_bytes": 0}
    for kind, row in kinds(sample_).items():
        if kind == "dict (no owner)" or kind.startswith("dict of "):
            for key in dicts:
                dicts[key] += row[key]
        else:
            found[kind] = row
    found["dict"] = dicts
    return found


def asked(pid, *options):
    """The answer to --kind or --duplicates."""
    result = run("-o", "json", "--agent=never", *(options + (pid,)))
    if result.status:
        raise Failed("exit status %d: %s" % (result.status, result.err.strip()))
    return json.loads(result.out)


def stop(process):
    """Asks it to end, and ends it when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Stream:
    """heaptop -o json running on; always ended with the block."""

    def __init__(self, pid, *options):
        self.process = subprocess.Popen(
            [program(), "-b", "-o", "json", "-n", "1000000"] + [str(o) for o in options]
            + [str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self._buffer = b""
        self.last = None

    def next(self, timeout=30):
        """The next sample; None when heaptop ended."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failed("no sample within %g s" % timeout)
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                return None
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        self.last = json.loads(line.decode())
        return self.last

    def until(self, condition, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            found = self.next(max(0.01, deadline - time.monotonic()))
            if found is None:
                raise Failed("heaptop ended: %s" % self.process.stderr.read().decode())
            if condition(found):
                return found

    def end(self, timeout=10):
        """Asks heaptop to end (SIGTERM); its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        stop(self.process)
        self.process.stdout.close()
        self.process.stderr.close()
