"""Makes the rounds of cells, several cells at once, until they are made or the time is over."""
import collections
import concurrent.futures
import threading
import time
import traceback

import cell as cells
import program

class Task:
    """A row on an interpreter, and how many rounds are wanted."""

    def __init__(self, row, interpreter, goal):
        self.row, self.interpreter, self.goal = row, interpreter, goal
        self.made, self.is_busy, self.cannot = 0, False, False

    def left(self):
        return 0 if self.cannot else max(0, self.goal - self.made)


def make(task, rounds):
    """One process or a few; the cell with what was found."""
    row = task.row
    cell = cells.Cell(row, task.interpreter)
    cell.turn = task.made
    try:
        cell.cannot = row.needs() if row.needs else None
        if not cell.cannot:
            row.run(cell, min(rounds, row.batch))
    except program.Cannot as reason:
        cell.cannot = str(reason)
    except Exception:
        cell.hang("the test itself ended: " + traceback.format_exc()[-350:])
    if not cell.rounds and not cell.cannot and not cell.hung:
        cell.hang("no round was made")
    return cell


class Schedule:
    """`found(task, cell, seconds)` is called for each, one at a time."""

    def __init__(self, tasks, seconds, found):
        self.tasks, self.found = tasks, found
        self.ends_at = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.met = collections.Counter(task.row for task in tasks if task.made or task.cannot)

    def _next(self):
        """The one that has made the smallest share of its rounds, of a row that was met on
        the fewest interpreters."""
        with self.lock:
            some = [task for task in self.tasks if task.left() and not task.is_busy]
            if not some or time.monotonic() > self.ends_at:
                return None
            task = min(some, key=lambda one: (one.made / one.goal, self.met[one.row]))
            task.is_busy = True
            self.met[task.row] += not task.made
            return task

    def _work(self):
        while True:
            task = self._next()
            if not task:
                return
            began = time.monotonic()
            cell = make(task, task.left())
            with self.lock:
                task.made += max(1, cell.rounds)
                task.cannot = bool(cell.cannot)
                task.is_busy = False
                self.found(task, cell, time.monotonic() - began)

    def run(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for future in [pool.submit(self._work) for _ in range(jobs)]:
                future.result()
