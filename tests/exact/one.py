"""One program on one interpreter: started, looked at, asked."""
import functools
import mmap
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
import urllib.request

import compare
import heaptop
import service
import target

PAGE = mmap.PAGESIZE
# Debian's own, where Django is: of Python only, so other interpreters may use it, too.
PACKAGES = "/usr/lib/python3/dist-packages"
REQUESTS = 3000
HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "truth.py")) as file:
    TRUTH = file.read()


def _image_bytes(path):
    """How much memory an ELF file takes, with what the file does not have (.bss); 0: none."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
            if head[:5] != b"\x7fELF\x02":
                return 0
            offset, = struct.unpack_from("<Q", head, 32)
            size, count = struct.unpack_from("<HH", head, 54)
            file.seek(offset)
            rows = [struct.unpack("<IIQQQQQQ", file.read(size)[:56]) for _ in range(count)]
    except OSError:
        return 0
    return max(row[3] + row[6] for row in rows if row[0] == 1) - min(
        row[3] // PAGE * PAGE for row in rows if row[0] == 1)


def image(pid):
    """[(start, end)] of the program and its libraries, and of other files."""
    found = []
    with open("/proc/%d/maps" % pid) as maps:
        for words in map(str.split, maps):
            start, end = [int(word, 16) for word in words[0].split("-")]
            if len(words) > 5 and words[5].startswith("/"):
                if int(words[2], 16) == 0:
                    end = max(end, start + _image_bytes("/proc/%d/root%s" % (pid, words[5])))
                found.append((start, (end + PAGE - 1) // PAGE * PAGE))
    return found


def rss(pid):
    with open("/proc/%d/smaps" % pid) as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))


def wait_for_rest(pid):
    """It has answered before it is back at where it waits."""
    rests = 0
    while rests < 5:
        with open("/proc/%d/stat" % pid) as file:
            rests = rests + 1 if file.read().rpartition(")")[2].split()[0] == "S" else 0
        time.sleep(0.02)


def look(t, pid, python):
    t.debugmallocstats()  # once, so that what it needs for the first time is there
    noted = tempfile.mktemp("", "heaptop-allocated-", python.temporary)
    t.tell("prepare(%r)" % image(pid))
    t.tell("note(%r)" % python.inside(noted))
    stats = t.debugmallocstats()
    wait_for_rest(pid)
    before = rss(pid)
    sample = heaptop.sample(pid, "--agent=never", timeout=200)
    after = rss(pid)
    again = t.debugmallocstats()
    truth = t.ask("truth()", timeout=300)
    if not sample["objects"] or not sample["account"]:
        return [compare.Check("walk", False, "", "no walk: %s" % sample["access"])]
    checks = list(compare.check_walk(sample))
    checks += compare.check_allocator(sample, stats)
    checks += compare.check_kinds(sample, truth)
    checks += compare.check_unowned(sample)
    checks += compare.check_account(sample, before, after)
    checks += compare.check_quiet(stats, again)
    return checks


def load(port):
    """Requests to a server, until it has answered enough."""
    for _ in range(REQUESTS):
        with urllib.request.urlopen("http://127.0.0.1:%d/users" % port, timeout=20) as answer:
            answer.read()


def why_not():
    """Why nothing can be counted here, or None."""
    return None if shutil.which("cc") else "there is no C compiler"


_BUILT = tempfile.TemporaryDirectory(prefix="heaptop-exact-")


@functools.lru_cache(None)
def _library(folder):
    """allocated.c as a library; it calls what the interpreter has."""
    path = os.path.join(folder.name, "allocated.so")
    subprocess.run(["cc", "-std=c11", "-O2", "-shared", "-fPIC", "-o", path,
                    os.path.join(HERE, "allocated.c")], check=True)
    return path


def start(program, python, port):
    text = TRUTH + program.text if program.is_server else program.text + TRUTH
    arguments = [str(port)] if program.is_server else []
    environment = {"PYTHONDONTWRITEBYTECODE": "1",
                   "LD_PRELOAD": python.bring(_library(_BUILT))}
    if program.is_server and not python.root:
        environment["PYTHONPATH"] = PACKAGES
    return target.Target(python, text, timeout=200, arguments=arguments, env=environment)


def _why(text):
    """The line of a traceback that names the error: warnings may stand behind it."""
    lines = text.strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if re.match(r"[A-Za-z.]+Error\b", line)),
                lines[-1])


def judged(program, python):
    """{"checks": [...], "seconds": N}, or {"cannot": why}."""
    began = time.monotonic()
    port = service.free_port()
    try:
        t = start(program, python, port)
    except target.TargetError as error:
        return {"cannot": _why(str(error))}
    with t:
        if program.is_server:
            load(port)
        checks = look(t, t.ask("os.getpid()"), python)
    return {"checks": [list(check) for check in checks],
            "seconds": round(time.monotonic() - began, 1)}
