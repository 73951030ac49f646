"""One program, looked at by heaptop until its first verdict stands, and the judgement."""
import bisect
import datetime
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import heaptop

HERE = os.path.dirname(os.path.abspath(__file__))
START_S = 400    # a program may take to be ready
WATCH_S = 110    # a program with trouble is watched at most
HEALTHY_S = 80   # and a healthy one always
STANDS = 4       # so many samples in a row say the same
TOLERANCE = 0.10
GAIN_TOLERANCE = 0.05
GAIN_LEAST = 1 << 20  # less is a matter of single pages
OPTIONS = ("-d", "1", "--walk", "2")
CALM = ("R0", "R1", "R14")
LEAKS = ("R2", "R3", "R3b", "R6", "R7", "R8", "R11", "R12", "-")


class Cannot(Exception):
    """Why a program can't be run here."""


class Program:
    """A running program, and what it says about itself."""

    def __init__(self, row, python):
        self.folder = tempfile.mkdtemp(prefix="heaptop-verdict-")
        for name in ("programs.py", "healthy.py", "rows.py", "parts.py"):
            shutil.copy(os.path.join(HERE, name), self.folder)
        self.process = subprocess.Popen(
            python.command + ["-B", os.path.join(self.folder, "programs.py"), row.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.folder)
        self.pid, self.times, self.bytes, self.trimmed = self.process.pid, [], [], None
        self._buffer, self.is_ready, self.is_over = b"", False, False

    def _take(self, line):
        value = json.loads(line.decode())
        if value == "ready":
            self.is_ready = True
        elif isinstance(value, dict):
            self.pid = value["pid"]
        elif value[0] == "trim":
            self.trimmed = value[1]
        else:
            self.times.append(value[0])
            self.bytes.append(value[1])

    def listen(self, seconds=0.0):
        """Takes what came; waits for it so long at most."""
        if not self.is_over and select.select([self.process.stdout], [], [], seconds)[0]:
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            self.is_over = not data
            self._buffer += data
            *lines, self._buffer = self._buffer.split(b"\n")
            for line in lines:
                self._take(line)

    def wait(self, condition, seconds):
        ends = time.monotonic() + seconds
        while not condition() and not self.is_over and time.monotonic() < ends:
            self.listen(0.2)
        if not condition():
            words = self.process.stderr.read().decode() if self.is_over else "it is too slow"
            raise Cannot("the program did not do its part: " + words.strip()[-300:])

    def at(self, when):
        """What it had made by then, between two of its answers."""
        i = bisect.bisect_left(self.times, when)
        if not self.times or i == 0 or i == len(self.times):
            return self.bytes[0 if i == 0 else -1] if self.times else None
        share = (when - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        return self.bytes[i - 1] + share * (self.bytes[i] - self.bytes[i - 1])

    def trim(self):
        self.process.stdin.write(b"trim\n")
        self.process.stdin.flush()
        self.wait(lambda: self.trimmed is not None, 30)
        return self.trimmed

    def close(self):
        for pid in {self.pid, self.process.pid}:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                file.close()
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


def clock(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def ratio_of(row, program, sample, verdict):
    """What heaptop says by what the program knows."""
    if not row.has_bytes or not verdict["bytes"]:
        return None
    true = program.at(clock(verdict["until"] or sample["time"]))
    if verdict["since"]:
        true -= program.at(clock(verdict["since"]))
    return verdict["bytes"] / true if true > 0 else None


def is_right(row, verdict, ratio):
    return verdict["rule"] in row.rules and \
        (ratio is None or abs(ratio - 1) <= TOLERANCE)


class Watch:
    """The samples of one run: what was said first, and since when."""

    def __init__(self, row, program):
        self.row, self.program = row, program
        self.began = None
        self.since, self.stood, self.before, self.last = None, 0, [], None
        self.verdict, self.ratio = None, None

    def add(self, sample):
        self.began = self.began or time.monotonic()
        self.last, self.verdict = sample, sample["verdicts"][0]
        self.ratio = ratio_of(self.row, self.program, sample, self.verdict)
        rule = self.verdict["rule"]
        if is_right(self.row, self.verdict, self.ratio):
            self.since = self.since if self.stood else time.monotonic() - self.began
            self.stood += 1
            return
        self.stood = 0
        if rule not in self.row.rules and rule not in CALM \
                and rule not in self.before:
            self.before.append(rule)

    def is_over(self):
        seconds = time.monotonic() - (self.began or time.monotonic())
        if self.row.sort == "healthy":
            return seconds > HEALTHY_S
        # A saw-tooth and swings are seen when they have come again.
        return self.stood >= STANDS or seconds > WATCH_S


def watched(row, program, options):
    watch = Watch(row, program)
    with heaptop.Stream(program.pid, *options) as stream:
        while not watch.is_over():
            sample = stream.next(150)
            if sample is None:
                raise Cannot("heaptop ended: " + stream.process.stderr.read().decode()[-300:])
            program.listen()
            if sample["verdicts"]:
                watch.add(sample)
    return watch


def gain_ratio(row, program, verdict):
    """What malloc_trim really returns, when that is the remedy."""
    if "R4" not in row.rules or not verdict["gain_bytes"]:
        return None
    returned = program.trim()
    if max(returned, verdict["gain_bytes"]) < GAIN_LEAST:
        return None
    return verdict["gain_bytes"] / returned if returned > 0 else None


def judged(row, python, options=OPTIONS):
    """The findings of one program, as they are kept in the state."""
    program = Program(row, python)
    try:
        program.wait(lambda: program.is_ready and program.times, START_S)
        watch = watched(row, program, options)
        gain = gain_ratio(row, program, watch.verdict)
        right = is_right(row, watch.verdict, watch.ratio) \
            and (gain is None or abs(gain - 1) <= GAIN_TOLERANCE) \
            and not (row.sort == "healthy" and watch.before)
        return {"is_right": right, "rule": watch.verdict["rule"], "ratio": watch.ratio,
                "gain_ratio": gain, "after_s": watch.since, "wrong_before": watch.before,
                "is_leak_said": any(rule in LEAKS for rule in watch.before),
                "words": ["%(rule)s %(words)s" % verdict for verdict in watch.last["verdicts"]]}
    except Cannot as why:
        return {"cannot": str(why)}
    except heaptop.Failed as why:
        return {"is_right": False, "rule": "none", "ratio": None, "gain_ratio": None,
                "after_s": None, "wrong_before": [], "is_leak_said": False,
                "words": [str(why)]}
    finally:
        program.close()
