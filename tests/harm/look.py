"""What a target looks like from outside, and what heaptop left behind in it.

doc/attach.md promises what stays; everything else that is not as before is a leftover.
"""
import os
import time

import attach

AGENTS_NAME = "heaptop"
# A thread stack with its guard page, a malloc arena with the rest of its reservation, and
# the loader's code split in three by the page that was written.
MAPPINGS_THAT_STAY = 6
FIRST_LOOKS, LAST_LOOKS = 5, 10
# Agents of killed heaptops leave one after the other, and have been there at once.
AGENTS_AT_ONCE = 5


def _read(path):
    with open(path) as file:
        return file.read()


def _fields(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def _threads(pid):
    found = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        try:
            found[int(tid)] = _fields(_read("/proc/%d/task/%s/status" % (pid, tid)))
        except OSError:
            pass  # it has just ended
    return found


def _priorities(tids):
    found = set()
    for tid in tids:
        try:
            found.add((os.sched_getscheduler(tid), os.getpriority(os.PRIO_PROCESS, tid)))
        except OSError:
            pass
    return found


def _links(pid):
    found = []
    for number in os.listdir("/proc/%d/fd" % pid):
        try:
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, number)))
        except OSError:
            pass
    return sorted(found)


class Look:
    def __init__(self, pid):
        threads = _threads(pid)
        own = {tid: t for tid, t in threads.items() if t["Name"] != AGENTS_NAME}
        self.agents = len(threads) - len(own)
        self.threads = len(own)
        self.masks = {t["SigBlk"] for t in own.values()}
        self.ignored = {t["SigIgn"] for t in own.values()}
        self.tracers = {t["TracerPid"] for t in own.values()}
        self.stopped = [t["State"] for t in own.values() if t["State"][0] in "Tt"]
        self.priorities = _priorities(own)
        self.descriptors = _links(pid)
        self.code = [line.split()[0] for line in attach.anonymous_executable(pid)]
        self.mappings = _read("/proc/%d/maps" % pid).count("\n")
        self.is_loader_whole = attach.loader_text_is_original(pid)


def first(pid):
    """A look before heaptop comes, with the masks that come and go while the target forks."""
    look = Look(pid)
    for _ in range(FIRST_LOOKS):
        time.sleep(0.005)
        look.masks |= Look(pid).masks
    return look


def differences(before, now, is_steady, was_killed=False):
    """Sentences; none when nothing but what the documents say has stayed. A heaptop that
    was killed may have left its stub in the loader's dead code."""
    found = []
    if now.agents:
        found.append("an agent's thread is left")
    if now.tracers != {"0"}:
        found.append("a thread is still traced")
    if now.stopped and not before.stopped:
        found.append("a thread is stopped")
    if now.is_loader_whole is False and not was_killed:
        found.append("the loader's code is not as in its file")
    if any("memfd:heaptop" in link for link in now.descriptors):
        found.append("the agent's memory file is still open")
    if set(now.code) - set(before.code) and (is_steady or len(now.code) > len(before.code)):
        found.append("code without a file is left: %s" % (set(now.code) - set(before.code)))
    for name in ("masks", "ignored", "priorities"):
        found += ["%s of threads: now also %s" % (name, value)
                  for value in getattr(now, name) - getattr(before, name)]
    if is_steady:
        for name in ("threads", "descriptors"):
            if getattr(now, name) != getattr(before, name):
                found.append("%s: %r, before %r" % (name, getattr(now, name), getattr(before, name)))
        stay = MAPPINGS_THAT_STAY * (AGENTS_AT_ONCE if was_killed else 1)
        if now.mappings > before.mappings + stay:
            found.append("%d mappings, before %d" % (now.mappings, before.mappings))
    return found


def settle(pid, before, is_steady, was_killed, seconds):
    """The differences that are left when the time is over; none when they go before. What
    only some of the last looks see is the target's own doing, a signal mask while it forks."""
    deadline = time.monotonic() + seconds
    while True:
        found = differences(before, Look(pid), is_steady, was_killed)
        if not found:
            return []
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    for _ in range(LAST_LOOKS):
        time.sleep(0.02)
        now = differences(before, Look(pid), is_steady, was_killed)
        found = [words for words in found if words in now]
    return found
