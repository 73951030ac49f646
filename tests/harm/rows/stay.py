"""What stays after a long time, and leaving at an awkward moment."""
import time

import attach
import look
import tool
from row import Row, few, wait_for_agent, works

GROUP = "After many rounds, and leaving at an awkward moment"
GROWTH_KIB = 256
TRIES = 3  # a target takes an arena of 1 MiB now and then, which is no growth with the rounds


def wait_steady(pid, seconds=15):
    """A young process grows for a while by itself."""
    deadline, last = time.monotonic() + seconds, -1
    while last != attach.rss_anon(pid) and time.monotonic() < deadline:
        last = attach.rss_anon(pid)
        time.sleep(0.5)


def many_rounds(cell, rounds):
    """Nothing grows with the rounds; the first ones may leave what the documents name."""
    with cell.start("plain.py") as it:
        wait_steady(it.pid)
        cell.attach(it, 10)
        before, grown = look.Look(it.pid), []
        while len(grown) < TRIES and (not grown or grown[-1] > GROWTH_KIB):
            memory = attach.rss_anon(it.pid)
            cell.attach(it, rounds)
            cell.expect_released(it, before, is_steady=False)
            grown.append(attach.rss_anon(it.pid) - memory)
        if grown[-1] > GROWTH_KIB:
            cell.leftovers.append("RssAnon grew by %r KiB, each in %d rounds" % (grown, rounds))
        more = look.Look(it.pid).mappings - before.mappings
        if more > look.MAPPINGS_THAT_STAY:
            cell.leftovers.append("%d more mappings after %d rounds" % (more, rounds))
        cell.expect_finish(it)


def leaves_while(target, *arguments):
    """heaptop asks, does not wait for the answer, and goes."""
    def run(cell, rounds):
        with cell.start(target, *arguments) as it:
            before = look.Look(it.pid)
            for _ in range(rounds):
                driver = tool.start_driver(it.pid, 1000)
                cell.inside += wait_for_agent(it.pid)
                time.sleep(0.05)
                driver.terminate()
                driver.communicate()
                cell.rounds += 1
            # By now it may be in the middle of another attach.
            cell.expect_released(it, before, is_steady=False, was_killed=True)
            cell.expect_finish(it)
    return run


ROWS = [
    Row("long-stay", "29", "very many rounds on one process", many_rounds, on=few, weight=30, short=20),
    Row("leave-waiting", "30", "leaves while its command waits for the GIL",
        leaves_while("native.py", "hold_gil", "0.3"), on=few),
    Row("leave-collecting", "30", "leaves while the target collects",
        leaves_while("collecting.py")),
    Row("leave-callbacks", "30", "leaves while the target's own gc callbacks are called",
        works("callbacks.py"), weight=3, short=6),
]
