"""The side that attaches: the program itself, or the tests' driver, which is faster."""
import collections
import json
import os
import signal
import subprocess

import attach
import heaptop

DEADLINE = 90

# done: rounds that came to their end; refusal: the sentence of the one that did not
Rounds = collections.namedtuple("Rounds", "done refusal is_hung")
DRIVER = attach.PROGRAM


def _kill(process):
    """With the injector, which dies with its parent."""
    process.kill()
    process.communicate()


def start_driver(pid, rounds, prefix=(), fault=None):
    environment = dict(os.environ)
    if fault:
        environment["HEAPTOP_FAULT"] = fault
    return subprocess.Popen(list(prefix) + [DRIVER, str(pid), str(rounds)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, env=environment)


def finish_driver(process, seconds=DEADLINE):
    try:
        out = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        _kill(process)
        return Rounds(0, None, True)
    done, refusal = 0, None
    for line in out.decode("utf-8", "replace").splitlines():
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
    try:
        out, errors = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        _kill(process)
        return Rounds(0, None, True)
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
