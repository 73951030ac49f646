"""A target program of tests/harm/targets, started with one interpreter.

    with Program(interpreter, "waits.py", ["poll"]) as program:
        program.pid                 # of Python itself, also below unshare or chroot
        program.finish(30)          # -> Ending: status, words, wrong; status None: it hung
"""
import collections
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = os.path.join(HERE, "targets")
READY_SECONDS = 90

Ending = collections.namedtuple("Ending", "status wrong errors")


class Cannot(Exception):
    """The row can't run here, and why."""


class Harmed(Exception):
    pass


def _text(name):
    with open(os.path.join(TARGETS, name)) as file:
        return file.read()


def descendants(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return []
    return children + [d for child in children for d in descendants(child)]


def _runs(pid, script):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            words = file.read().split(b"\0")
        return script.encode() in words and b"python" in os.path.basename(words[0])
    except OSError:
        return False


class Program:
    def __init__(self, interpreter, target, arguments=(), env=None, options=(), prefix=()):
        self._file = tempfile.NamedTemporaryFile(
            "w", suffix=".py", prefix="harm-", dir=interpreter.temporary, delete=False)
        self._file.write(_text("prelude.py") + "\n" + _text(target))
        self._file.close()
        os.chmod(self._file.name, 0o644)
        script = interpreter.inside(self._file.name)
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("PYTHON")}
        environment.update(env or {})
        self._errors = tempfile.TemporaryFile()
        terminal = os.openpty() if "tty" in arguments else ()  # not every root has any
        environment.update({"HARM_TERMINAL": "%d %d" % terminal} if terminal else {})
        self._buffer = b""
        try:
            self.process = subprocess.Popen(
                list(prefix) + interpreter.command + ["-W", "ignore"] + list(options)
                + [script] + [str(word) for word in arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
                env=environment, start_new_session=True, pass_fds=terminal)
            for descriptor in terminal:
                os.close(descriptor)
            self._wait_ready()
            self.pid = self._find(script)
        except BaseException:
            self.close()
            raise

    def _wait_ready(self):
        line = self._line(READY_SECONDS)
        if line.startswith("cannot: "):
            raise Cannot(line[len("cannot: "):])
        if line != "ready":
            raise Cannot("the target did not start: %s" % (line or self.errors().strip()[-300:]))

    def _line(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return ""
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return ""
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode("utf-8", "replace")

    def _find(self, script):
        own = self.process.pid
        found = [pid for pid in [own] + descendants(own) if _runs(pid, script)]
        return found[0] if found else own

    def errors(self):
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode("utf-8", "replace")

    def is_alive(self):
        return self.process.poll() is None

    def tell(self):
        """Its work is over."""
        try:
            self.process.stdin.close()
        except OSError:
            pass

    def wait(self, seconds):
        """The exit status; None when it does not end in time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def finish(self, seconds):
        self.tell()
        line = self._line(seconds)
        status = self.wait(seconds if line else 5)
        try:
            wrong = json.loads(line)["wrong"]
        except ValueError:
            wrong = ["said %r at its end" % line]
        return Ending(status, wrong, self.errors())

    def where(self):
        """Where a target that does not end has its threads, for the report."""
        found = []
        for pid in [self.pid] + descendants(self.pid):
            for tid in sorted(os.listdir("/proc/%d/task" % pid)):
                try:
                    with open("/proc/%d/task/%s/status" % (pid, tid)) as file:
                        state = re.search(r"State:\t(\S)", file.read()).group(1)
                    with open("/proc/%d/task/%s/wchan" % (pid, tid)) as file:
                        found.append("%s %s %s" % (tid, state, file.read()))
                except OSError:
                    pass
        return "; ".join(found[:20])

    def close(self):
        if hasattr(self, "process"):
            family = [self.process.pid] + descendants(self.process.pid)
            # All that it started; SIGCONT ends what is stopped.
            for number in (signal.SIGKILL, signal.SIGCONT):
                for pid in family:
                    try:
                        os.kill(pid, number)
                    except OSError:
                        pass
            self.process.wait()
            self.tell()
            self.process.stdout.close()
        self._errors.close()
        os.unlink(self._file.name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
