"""The target receives, blocks or ignores signals; it is stopped and continued."""
import os
import signal
import threading
import time

import look
import tool
from row import Row, expect_refusal, few, works

GROUP = "Signals and job control"


def signals(how, **more):
    return works("signals.py", how, is_steady=False, **more)


def stopped_before(cell, rounds):
    with cell.start("plain.py") as it:
        before = look.Look(it.pid)
        os.kill(it.pid, signal.SIGSTOP)
        cell.attach(it, rounds)
        expect_refusal(cell, "stopped")
        now = look.Look(it.pid)
        if not now.stopped:
            cell.harm("a stopped target runs again")
        os.kill(it.pid, signal.SIGCONT)
        cell.expect_released(it, before)
        cell.expect_finish(it)


def stopped_meanwhile(cell, rounds):
    """SIGSTOP and SIGCONT every 50 ms, whatever heaptop is doing."""
    over = threading.Event()
    with cell.start("plain.py") as it:
        before = look.Look(it.pid)

        def stop_and_go():
            while not over.wait(0.05):
                os.kill(it.pid, signal.SIGSTOP)
                time.sleep(0.02)
                os.kill(it.pid, signal.SIGCONT)
        thread = threading.Thread(target=stop_and_go)
        thread.start()
        try:
            cell.attach(it, rounds)
        finally:
            over.set()
            thread.join()
        os.kill(it.pid, signal.SIGCONT)
        cell.expect_released(it, before)
        cell.expect_finish(it)


def stopped_by_terminal(cell, rounds):
    """Ctrl-Z with the agent in it, then fg."""
    with cell.start("plain.py") as it:
        before = look.Look(it.pid)
        driver = tool.start_driver(it.pid, max(rounds, 2) * 20)
        for _ in range(3):
            time.sleep(0.05)
            os.kill(it.pid, signal.SIGTSTP)
            time.sleep(0.05)
            os.kill(it.pid, signal.SIGCONT)
        cell.count(tool.finish_driver(driver))
        cell.expect_released(it, before)
        cell.expect_finish(it)


ROWS = [
    Row("itimer", "14", "a timer signal every millisecond", signals("itimer")),
    Row("itimer-10khz", "14", "a timer signal every 100 us", signals("itimer_10khz")),
    Row("pause", "14", "signal.pause", signals("pause")),
    Row("sigwait", "14", "signal.sigwait", signals("sigwait")),
    Row("wakeup-fd", "14", "signal.set_wakeup_fd", signals("wakeup")),
    Row("signal-threads", "14", "signals for the process, three threads at work",
        signals("threads")),
    Row("faults-ignored", "26", "SIGSEGV, SIGTRAP and others ignored", signals("ignored")),
    Row("faults-blocked", "26", "SIGSEGV, SIGTRAP and SIGBUS blocked", signals("blocked")),
    Row("faulthandler", "26", "faulthandler, and a handler for SIGTRAP",
        signals("faulthandler")),
    Row("all-blocked", "26", "all signals blocked", signals("all_blocked")),
    Row("sigaltstack", "26", "a signal stack of its own", signals("own_stack")),
    Row("stopped", "13; threat 15", "stopped before the attach", stopped_before, on=few),
    Row("stop-and-go", "13", "SIGSTOP and SIGCONT all the time", stopped_meanwhile),
    Row("ctrl-z", "13", "SIGTSTP and SIGCONT with the agent in it", stopped_by_terminal, on=few),
]
