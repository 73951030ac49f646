#!/usr/bin/env python3
"""reuse.py PYTHON POINT: as process 1 of a PID namespace, lets heaptop stop at a named moment
of an attach, ends the target and gives its PID to another one; prints what came of that."""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import interpreters
import look
import program
import tool

STOP_MS, TRIES = 1500, 200


def reached_or_ended(driver, pid, seconds=5):
    """Its injector, or the driver itself, stands still at the moment."""
    deadline = time.monotonic() + seconds
    while driver.poll() is None and time.monotonic() < deadline:
        for one in [driver.pid] + program.descendants(driver.pid):
            try:
                with open("/proc/%d/stat" % one) as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "T":
                        return
            except OSError:  # it has ended meanwhile
                continue
        time.sleep(0.001)


def another(python, pid):
    """A process with this PID; None while the kernel does not give it away again."""
    for _ in range(TRIES):
        if os.path.exists("/proc/%d" % pid):
            time.sleep(0.005)
            continue
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(pid - 1))
        it = program.Program(python, "plain.py")
        if it.pid == pid:
            return it
        it.close()
    return None


def main():
    python = interpreters._probe(sys.argv[1])
    first = program.Program(python, "plain.py")
    driver = tool.start_driver(first.pid, 1, fault="%s=stop %d" % (sys.argv[2], STOP_MS))
    reached_or_ended(driver, first.pid)
    first.close()
    second = another(python, first.pid)
    said = {"reused": second is not None, "wrong": [], "left": []}
    before = look.first(second.pid) if second else None
    made = tool.finish_driver(driver)
    said.update(done=made.done, refusal=made.refusal, is_hung=made.is_hung)
    if second:
        said["left"] = look.settle(second.pid, before, True, False, 5)
        ending = second.finish(30)
        said["wrong"] = ending.wrong + ([] if ending.status == 0 else
                                        ["status %r: %s" % (ending.status, ending.errors)])
        second.close()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
