"""doc/harm.md: the table of rows and what was found, written from the state."""
import os
import platform
import time

HEAD = """# Harm: what was done to heaptop and its targets, and what came of it

This page is written by the command itself, which goes on where its last run ended, and can
be given a part of the rows (HARM=...):

    {command}

[harm_found.md](harm_found.md) tells what runs have found so far, and what was mended.

{summary}

A **round** is one attach, sample and release by `build/heaptop` or by the driver of the tests,
or one harm done to heaptop. **On** is on how many interpreters, **in**
how many rounds had the agent in the target; in the other ones heaptop stayed out with a sentence, was killed before it came in, or the target ended first.
**Harmed**: something that the target checks about itself (results, order of input and output,
timers, signals, exit status) was not as without heaptop. **Hung**: the target, its child or
heaptop did not come to its end. **Left**: something stayed that [attach.md](attach.md) does not
name. Where a row could not run, its reason stands in the place of its figures.

Machine: {machine}. Interpreters ({n_interpreters}): {interpreters}.
"""

COLUMNS = ("| row | what | from | on | rounds | in | found |", "|---|---|---|--:|--:|--:|---|")


class Sum:
    """Of one row over its interpreters, or of all rows."""

    def __init__(self):
        self.rounds = self.inside = self.harmed = self.hung = self.leftovers = 0
        self.interpreters, self.reasons, self.refusals = [], {}, {}

    def add(self, name, cell):
        if cell.get("rounds"):
            self.interpreters.append(name)
        elif cell.get("cannot"):
            self.reasons.setdefault(cell["cannot"], []).append(name)
        self.rounds += cell.get("rounds", 0)
        self.inside += cell.get("inside", 0)
        self.harmed += cell.get("n_harmed", 0)
        self.hung += cell.get("n_hung", 0)
        self.leftovers += cell.get("n_leftovers", 0)
        for words, n in cell.get("refusals", {}).items():
            self.refusals[words] = self.refusals.get(words, 0) + n


def sum_of(row, interpreters, state):
    total = Sum()
    for interpreter in interpreters:
        total.add(interpreter.name, state.cell(row, interpreter))
    return total


def _line(row, total):
    if not total.rounds:
        reason = "; ".join(total.reasons) or "not run yet"
        return "| %s | %s | %s | skipped: %s ||||" % (row.name, row.words, row.source,
                                                    reason.strip().split("\n")[-1])
    found = ["%d %s" % (n, words) for n, words in ((total.harmed, "harmed"), (total.hung, "hung"),
                                                   (total.leftovers, "left")) if n]
    return "| %s | %s | %s | %d | %d | %d | %s |" % (
        row.name, row.words, row.source, len(total.interpreters), total.rounds, total.inside,
        ", ".join(found) or "nothing")


def _refusals(all_refusals):
    if not all_refusals:
        return []
    lines = ["", "## Why heaptop stayed out", "", "| rounds | sentence |", "|--:|---|"]
    for words, n in sorted(all_refusals.items(), key=lambda item: -item[1]):
        lines.append("| %d | %s |" % (n, words.replace("|", "/")))
    return lines


def summary(groups, state, found):
    """(sentence, is all well)"""
    whole, ran, skipped = Sum(), 0, 0
    pairs, cannot, met = 0, 0, 0
    for _words, rows in groups:
        for row in rows:
            total = sum_of(row, row.on(found), state)
            cells = [state.cell(row, one) for one in row.on(found)]
            pairs += len(cells)
            met += sum(bool(cell.get("rounds")) for cell in cells)
            cannot += sum(bool(cell.get("cannot") and not cell.get("rounds")) for cell in cells)
            ran += total.rounds > 0
            skipped += total.rounds == 0
            for name in ("rounds", "inside", "harmed", "hung", "leftovers"):
                setattr(whole, name, getattr(whole, name) + getattr(total, name))
    text = ("%s rounds, %s of them inside; %d harmed, %d hung, %d leftovers; "
            "%d rows ran, %d were skipped; of %d pairs of a row and an interpreter %d were met and "
            "%d cannot be" % (
                format(whole.rounds, ","), format(whole.inside, ","), whole.harmed, whole.hung,
                whole.leftovers, ran, skipped, pairs, met, cannot))
    return text, not (whole.harmed or whole.hung or whole.leftovers)


def write(path, groups, state, found, command):
    words, _is_well = summary(groups, state, found)
    machine = "Linux %s, %s, %d processors" % (platform.release().split("-")[0],
                                               platform.machine(), os.cpu_count() or 1)
    lines = [HEAD.format(
        command=command, machine=machine, n_interpreters=len(found),
        interpreters=", ".join(i.name for i in found),
        summary="On %s it printed:\n\n    %s" % (time.strftime("%Y-%m-%d"), words))]
    refusals = {}
    for group, rows in groups:
        lines += ["", "## " + group, ""] + list(COLUMNS)
        for row in rows:
            total = sum_of(row, row.on(found), state)
            lines.append(_line(row, total))
            for sentence, n in total.refusals.items():
                refusals[sentence] = refusals.get(sentence, 0) + n
    lines += _refusals(refusals)
    figures = figure_lines(groups, state, found)
    if figures:
        lines += ["", "## Figures of services and suites", ""] + figures
    incidents = incident_lines(groups, state, found)
    if incidents:
        lines += ["", "## What was found", ""] + incidents
    with open(path, "w") as file:
        file.write("\n".join(lines).replace("\n\n\n", "\n\n") + "\n")


def figure_lines(groups, state, found):
    return ["- %s on %s: %s: %s" % (row.name, interpreter.name, words, value)
            for _words, rows in groups for row in rows for interpreter in row.on(found)
            for words, value in sorted(
                state.cell(row, interpreter).get("figures", {}).items())]


def incident_lines(groups, state, found):
    lines = []
    for _words, rows in groups:
        for row in rows:
            for interpreter in row.on(found):
                cell = state.cell(row, interpreter)
                for kind in ("harmed", "hung", "leftovers"):
                    lines += ["- %s on %s: %s: %s" % (row.name, interpreter.name, kind, words)
                              for words in cell.get(kind, [])]
    return lines
