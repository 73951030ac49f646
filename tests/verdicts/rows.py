"""The table of programs: each row names the rules that are right as the first verdict."""
import collections

Row = collections.namedtuple("Row", "name rules sort words make is_level has_bytes")
ROWS = {}


def row(rules, sort, words, is_level=False, has_bytes=True):
    def add(make):
        name = make.__name__.replace("_", "-")
        ROWS[name] = Row(name, rules.split(), sort, words, make, is_level, has_bytes)
        return make
    return add


def level(rule, sort, words, **more):
    return row(rule, sort, words, is_level=True, **more)


def healthy(words):
    return row("R0 R1 R14", "healthy", words, has_bytes=False)
