"""The side that attaches: the program itself, or the tests' driver, which is faster."""
import collections
import json
import os
import signal
import subprocess
import time

import attach
import heaptop

DEADLINE = 90
STILL = 20         # seconds in which who hangs uses no processor
MOST = 6 * DEADLINE

# done: rounds that came to their end; refusal: the sentence of the one that did not
Rounds = collections.namedtuple("Rounds", "done refusal is_hung")
DRIVER = attach.PROGRAM


def _kill(process):
    """With the injector, which dies with its parent."""
    process.kill()
    process.communicate()


def _ticks(pid):
    """Of processor time, used by the process and all below it."""
    used, below = {}, collections.defaultdict(list)
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as file:
                words = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        used[int(name)] = sum(int(word) for word in words[11:15])
        below[int(words[1])].append(int(name))
    total, left = 0, [pid]
    while left:
        one = left.pop()
        total += used.get(one, 0)
        left += below[one]
    return total


def _outcome(process, seconds):
    """What it printed; None when it hangs. Who gets hardly any processor is slow, no more."""
    end, before = time.monotonic() + seconds + MOST, None
    while True:
        try:
            return process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            used = _ticks(process.pid)
            if used == before or time.monotonic() > end:
                _kill(process)
                return None
            before, seconds = used, STILL


def start_driver(pid, rounds, prefix=(), fault=None):
    environment = dict(os.environ)
    if fault:
        environment["HEAPTOP_FAULT"] = fault
    return subprocess.Popen(list(prefix) + [DRIVER, str(pid), str(rounds)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, env=environment)


def finish_driver(process, seconds=DEADLINE):
    outcome = _outcome(process, seconds)
    if outcome is None:
        return Rounds(0, None, True)
    done, refusal = 0, None
    for line in outcome[0].decode("utf-8", "replace").splitlines():
        said = json.loads(line)
        done = said.get("rounds", done)
        refusal = said.get("error", refusal)
    return Rounds(done, refusal, False)


def by_driver(pid, rounds, prefix=()):
    """Attaches, samples and releases, again and again."""
    return finish_driver(start_driver(pid, rounds, prefix), DEADLINE + rounds)


def by_program(pid, prefix=()):
    """One sample of build/heaptop, with a walk of the target's objects."""
    process = subprocess.Popen(list(prefix) + [heaptop.program(), "-b", "-o", "json", "-n", "1",
                                               str(pid)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    outcome = _outcome(process, DEADLINE)
    if outcome is None:
        return Rounds(0, None, True)
    out, errors = outcome
    if process.returncode != 0:
        return Rounds(0, errors.decode("utf-8", "replace").strip() or "exit status %d"
                      % process.returncode, False)
    access = json.loads(out.decode().splitlines()[-1])["access"]
    if access["agent"] == "loaded":
        return Rounds(1, None, False)
    return Rounds(0, access["why"] or "no agent, and no reason", False)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def fault_points(*way):
    """[(name, when)] of the moments at which the driver can be killed; by the way "remote"
    those that come only there."""
    done = subprocess.run([DRIVER, "--faultpoints"] + list(way), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, universal_newlines=True)
    return [tuple(line.split("\t", 1)) for line in done.stdout.splitlines() if "\t" in line]
