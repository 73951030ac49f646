"""What each program was found to be on each interpreter: the table of all of them."""
import kept

COLUMNS = ("pools", "blocks", "kinds", "objects", "sizes", "unowned", "account", "unexplained")


class State(kept.Kept):
    def get(self, program, python):
        return self.found.get("%s %s" % (program.name, python.name))

    def add(self, program, python, found):
        self.keep("%s %s" % (program.name, python.name), found)


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
