"""What was found, kept between runs, and the page that shows it."""
import datetime
import os
import platform

import kept
import programs

HEAD = """# Verdicts: programs whose trouble is known, and what heaptop says first

This page is written by the command itself, which goes on where its last run ended:

    make verdicts

On {date} it printed:

    {summary}

Each program is watched (`heaptop {options}`) until its first verdict has been right four times
in a row, at most {watch} s; a healthy one for {healthy} s. **Right**: the rule is the row's, what it says
about bytes is within 10 % of what the program counted itself (or `mallinfo`, `_debugmallocstats`
said in it), a predicted trim within 5 % of what the trim then returned, and a healthy program
was accused of nothing at any time. **After**: seconds from the start of heaptop. **Before**: other
verdicts in front of the right one. The programs stand in tests/verdicts/programs.py.

Machine: Linux {kernel}, {processors} processors, which did other work too; CPython {python}.
"""

COLUMNS = ("| program | what | sort | rule | said first | after | bytes, said by true | trim, said by true | before |",
           "|---|---|---|---|---|--:|--:|--:|---|")


class State(kept.Kept):
    def __init__(self, path, python):
        super().__init__(path, python.name + " ")

    def has(self, row):
        return row.name in self.found


def _ran(rows, state):
    return [row for row in rows if state.has(row) and not state.found[row.name].get("cannot")]


def is_all_right(rows, state):
    return all(state.found[row.name]["is_right"] for row in _ran(rows, state))


def summary(rows, state):
    ran = _ran(rows, state)
    healthy = [row for row in ran if row.sort == "healthy"]
    leaks = sum(state.found[row.name]["is_leak_said"] for row in healthy)
    skipped = sum(1 for row in rows if state.has(row)) - len(ran)
    text = "%d right of %d; %d of %d healthy ones were accused of a leak" % (
        sum(state.found[row.name]["is_right"] for row in ran), len(ran), leaks, len(healthy))
    if skipped:
        text += "; %d skipped" % skipped
    return text if len(ran) + skipped == len(rows) else \
        text + "; %d not run yet" % (len(rows) - len(ran) - skipped)


def _ratio(value):
    return "" if value is None else "%.2f" % value


def _line(row, found):
    head = "| %s | %s | %s | %s |" % (row.name, row.words, row.sort, ", ".join(row.rules))
    if found.get("cannot"):
        return head + " skipped: %s |||||" % found["cannot"].replace("\n", " ")
    after = "" if found["after_s"] is None else "%.0f s" % found["after_s"]
    return head + " %s%s | %s | %s | %s | %s |" % (
        found["rule"], "" if found["is_right"] else " **wrong**", after,
        _ratio(found["ratio"]), _ratio(found["gain_ratio"]),
        ", ".join(found["wrong_before"]))


def write(path, state, python):
    import judge
    rows = list(programs.ROWS.values())
    text = HEAD.format(
        date=datetime.date.today().isoformat(), summary=summary(rows, state),
        options=" ".join(judge.OPTIONS), watch=judge.WATCH_S, healthy=judge.HEALTHY_S,
        kernel=platform.release(), processors=os.cpu_count(), python=python.name)
    lines = [_line(row, state.found[row.name]) for row in rows]
    with open(path, "w") as file:
        file.write(text + "\n" + "\n".join(COLUMNS + tuple(lines)) + "\n")
