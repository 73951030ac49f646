"""What was found, kept from one run to the next; a newly built program begins anew."""
import hashlib
import json
import os

import heaptop

COLUMNS = ("pools", "blocks", "kinds", "objects", "sizes", "unowned", "account", "unexplained")


class State:
    def __init__(self, path):
        self.path, self.found = path, {}
        with open(heaptop.program(), "rb") as file:
            self.identity = hashlib.sha256(file.read()).hexdigest()[:16]
        try:
            with open(path) as file:
                kept = json.load(file)
            if kept["identity"] == self.identity:
                self.found = kept["found"]
        except (OSError, ValueError, KeyError):
            pass

    def get(self, program, python):
        return self.found.get("%s %s" % (program.name, python.name))

    def keep(self, program, python, found):
        self.found["%s %s" % (program.name, python.name)] = found
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        with open(self.path + ".new", "w") as file:
            json.dump({"identity": self.identity, "found": self.found}, file, indent=1)
        os.replace(self.path + ".new", self.path)


def is_good(found):
    return all(check[1] for check in found["checks"])


def heading():
    return "%-8s  %-34s" % ("program", "interpreter") + "".join(
        "%12s" % column for column in COLUMNS) + "      s"


def line(program, python, found):
    """A row of the table, and below it what does not agree."""
    text = "%-8s  %-34s" % (program.name, python.name)
    if "cannot" in found:
        return text + "  skipped: " + found["cannot"]
    figures = {check[0]: "%s%s" % (check[2], "" if check[1] else " !")
               for check in found["checks"]}
    text += "".join("%12s" % figures.get(column, "-") for column in COLUMNS)
    bad = ["\n    %s: %s" % (check[0], check[3]) for check in found["checks"] if not check[1]]
    return text + "%7.1f" % found["seconds"] + "".join(bad)


def summary(pairs, state):
    ran = [state.get(*pair) for pair in pairs if state.get(*pair)]
    skipped = sum("cannot" in found for found in ran)
    good = sum("cannot" not in found and is_good(found) for found in ran)
    text = "%d of %d agree, %d skipped" % (good, len(ran) - skipped, skipped)
    return text if len(ran) == len(pairs) else text + ", %d not run yet" % (
        len(pairs) - len(ran))
