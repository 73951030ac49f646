"""The attach driver of the tests, and what a process looks like from outside.

    with attach.Driver(pid) as d:
        d("open")                  # -> {"ok": True, "diverted_ns": ...}
        d("sample")["blocks"]
        d("close")
    attach.outside(pid)            # threads, descriptors, mappings, signal masks
"""
import json
import os
import subprocess
import time

PROGRAM = os.path.join(os.environ.get("BUILD_DIR", "build"), "tests/live/attach_driver")


class Driver:
    def __init__(self, pid, **environment):
        self.process = subprocess.Popen([PROGRAM, str(pid)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, universal_newlines=True,
                                        env=dict(os.environ, **environment))

    def __call__(self, words):
        self.begin(words)
        return self.answer()

    def begin(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"ok": False, "error": "the driver ended"}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self.process.stdin.close()
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def rounds(pid, count, timeout=600, **environment):
    """Attaches, samples and leaves `count` times; the driver's summary."""
    done = subprocess.run([PROGRAM, str(pid), str(count)], stdout=subprocess.PIPE,
                          universal_newlines=True, timeout=timeout,
                          env=dict(os.environ, **environment))
    return [json.loads(line) for line in done.stdout.splitlines()]


def _status(pid):
    with open("/proc/%d/status" % pid) as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def anonymous_executable(pid):
    """Mappings that are executable and have no file: there must be none."""
    with open("/proc/%d/maps" % pid) as maps:
        return [line for line in maps
                if "x" in line.split()[1] and len(line.split()) < 6]


def is_free(pid):
    """Is there no thread and no code of an agent?"""
    for tid in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/comm" % (pid, tid)) as comm:
                if comm.read().strip() == "heaptop":
                    return False
        except OSError:
            pass
    return not anonymous_executable(pid)


def _descriptors(pid):
    """Where they lead; the process may close one meanwhile."""
    links = []
    for number in os.listdir("/proc/%d/fd" % pid):
        try:
            links.append(os.readlink("/proc/%d/fd/%s" % (pid, number)))
        except FileNotFoundError:
            pass
    return sorted(links)


def outside(pid):
    status = _status(pid)
    return {
        "threads": status["Threads"].strip(),
        "descriptors": _descriptors(pid),
        "blocked": status["SigBlk"], "ignored": status["SigIgn"],
        "code without a file": anonymous_executable(pid),
    }


def settle(pid, wanted, seconds=5):
    """What the process looks like once it looks as wanted, or after a while."""
    deadline = time.monotonic() + seconds
    while True:
        now = outside(pid)
        if now == wanted or time.monotonic() > deadline:
            return now
        time.sleep(0.02)


def rss_anon(pid):
    return int(_status(pid)["RssAnon"].split()[0])


def loader_text_is_original(pid):
    """Is the loader's code in memory equal to its file again?"""
    with open("/proc/%d/maps" % pid) as maps:
        for line in maps:
            words = line.split()
            if len(words) > 5 and "/ld-" in words[5] and words[1].startswith("r-x"):
                start, end = (int(x, 16) for x in words[0].split("-"))
                with open("/proc/%d/mem" % pid, "rb", 0) as memory:
                    memory.seek(start)
                    now = memory.read(end - start)
                with open(words[5], "rb") as file:
                    file.seek(int(words[2], 16))
                    return now[:len(now)] == file.read(end - start).ljust(len(now), b"\0")
    return None
