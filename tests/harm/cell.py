"""One cell of the table: one row on one interpreter, and what came of its rounds.

A round is one attach and release, or one harm done to heaptop. It counts as
    harmed    the target's results, signals, exit status or anything else it checks were wrong
    hung      the target, a child of it or heaptop did not come to its end
    leftover  something stayed behind that doc/attach.md does not name
A round in which heaptop stayed out and said why is counted by its sentence.
"""
import re

import look
import program
import tool

FINISH_SECONDS = 60
RELEASE_SECONDS = 60  # the stub counts its naps, which are longer on a busy machine
WORDS_KEPT = 10


def general(sentence):
    """Without the numbers of one process, so that equal reasons count together."""
    return re.sub(r"0x[0-9a-f]+|\b\d{2,}\b", "N", sentence.split("\n")[0])[:160]


class Cell:
    def __init__(self, row, interpreter):
        self.row, self.interpreter = row, interpreter
        self.rounds = self.inside = 0
        self.refusals, self.harmed, self.hung, self.leftovers = {}, [], [], []
        self.cannot = None
        self.figures = {}
        self.turn = 0  # how many rounds earlier runs have made, for rows that take turns

    def start(self, target, *arguments, **how):
        return program.Program(self.interpreter, target, arguments, **how)

    # ---- what came of it ---------------------------------------------------------

    def harm(self, words):
        self.harmed.append(str(words)[:400])

    def hang(self, words):
        self.hung.append(str(words)[:400])

    def figure(self, words, value):
        """A figure for the table that is neither right nor wrong by itself."""
        if words in self.figures and self.figures[words] != str(value):
            value = "%s, %s" % (self.figures[words], value)
        self.figures[words] = str(value)

    def count(self, rounds):
        """Takes the outcome of tool.by_driver or tool.by_program into account."""
        self.rounds += rounds.done
        self.inside += rounds.done
        if rounds.is_hung:
            self.rounds += 1
            self.hang("heaptop does not end")
        elif rounds.refusal:
            self.rounds += 1
            words = general(rounds.refusal)
            self.refusals[words] = self.refusals.get(words, 0) + 1

    # ---- steps of a round --------------------------------------------------------

    def attach(self, target, rounds, prefix=()):
        """The first round with the program itself, all others with the driver."""
        self.count(tool.by_program(target.pid, prefix))
        left = rounds - 1
        while left > 0 and target.is_alive():
            made = tool.by_driver(target.pid, left, prefix)
            self.count(made)
            left -= made.done + (1 if made.refusal or made.is_hung else 0)
            if not made.done and not made.refusal:
                break

    def expect_released(self, target, before, is_steady=True, was_killed=False):
        # As after a kill: nobody may say when a thread that was late is out of the stub, and
        # a heaptop that had no memory has left its agent to itself.
        was_late = any(sign in words for words in self.refusals
                       for sign in ("in time", "too long", "out of memory"))
        try:
            left = look.settle(target.pid, before, is_steady, was_killed or was_late,
                               RELEASE_SECONDS)
        except OSError:
            return  # it has ended: its own status tells how
        self.leftovers += left

    def expect_finish(self, target, status=0, seconds=FINISH_SECONDS):
        ending = target.finish(seconds)
        if ending.status is None:
            self.hang("the target does not end: %s" % target.where())
            return
        for words in ending.wrong:
            self.harm(words)
        if ending.status != status:
            self.harm("exit status %d, not %d: %s"
                      % (ending.status, status, ending.errors.strip()[-300:]))
        elif ending.errors.strip():
            self.harm("printed %s" % ending.errors.strip()[-300:])

    # ---- for the state file ------------------------------------------------------

    def as_data(self):
        return {"rounds": self.rounds, "inside": self.inside, "refusals": self.refusals,
                "harmed": self.harmed[:WORDS_KEPT], "n_harmed": len(self.harmed),
                "hung": self.hung[:WORDS_KEPT], "n_hung": len(self.hung),
                "leftovers": self.leftovers[:WORDS_KEPT], "n_leftovers": len(self.leftovers),
                "figures": self.figures, "cannot": self.cannot}
