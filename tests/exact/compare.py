"""What heaptop said against what the target said of itself: a list of Check."""
import collections
import re

import heaptop

Check = collections.namedtuple("Check", "name is_good figure words")

MANY = 1000  # objects of a kind that is compared
# Asking takes a few blocks itself, and perhaps a pool for them.
IN_FLIGHT, POOLS_IN_FLIGHT = 30, 2


def allocator_truth(text):
    """({size of block: (pools, blocks used)}, arenas) of sys._debugmallocstats()."""
    classes, arenas = {}, None
    for line in text.splitlines():
        words = line.split()
        if len(words) == 5 and all(word.isdigit() for word in words):
            classes[int(words[1])] = (int(words[2]), int(words[3]))
        found = re.match(r"^# arenas allocated current\s*=\s*([\d,]+)$", line)
        if found:
            arenas = int(found.group(1).replace(",", ""))
    return classes, arenas


def _apart(found, expected, member):
    return {size: found.get(size, (0, 0))[member] - expected.get(size, (0, 0))[member]
            for size in set(found) | set(expected)
            if found.get(size, (0, 0))[member] != expected.get(size, (0, 0))[member]}


def check_allocator(sample, stats):
    classes, arenas = allocator_truth(stats)
    section = sample["pymalloc"]
    found = {row["block_size"]: (row["pools"], row["blocks_used"])
             for row in section["size_classes"]}
    pools, blocks = _apart(found, classes, 0), _apart(found, classes, 1)
    yield Check("pools", sum(map(abs, pools.values())) <= POOLS_IN_FLIGHT
                and section["arenas"] == arenas, sum(map(abs, pools.values())),
                "pools: %s; arenas %d, said %s" % (pools, section["arenas"], arenas))
    yield Check("blocks", sum(map(abs, blocks.values())) <= IN_FLIGHT,
                sum(map(abs, blocks.values())), "blocks of each size: %s" % blocks)
    total = sum(blocks for _, blocks in classes.values())
    yield Check("used", abs(section["blocks_used"] - total) <= IN_FLIGHT,
                section["blocks_used"] - total, "used blocks")


# Tuples of keywords that C keeps for each function that was called by keywords
# (Python/getargs.c parser->kwtuple), in static variables.
KEYWORDS = 160


# Bytes of one character (3.8 - 3.10: Objects/bytesobject.c characters[], static).
CHARACTERS = 64


# What numpy and modules that Cython compiled keep in static variables of C: code objects of
# their functions and constants (Cython's __pyx_mstate), registered loops.
OF_NUMPY = {"code": 2000, "bytes": 4000, "tuple": 2400, "str": 3000, "int": 260, "dict": 260,
            "numpy._ArrayMethod": 500}


def _lacks(kind, truth):
    """How many objects of a kind the truth may lack, beyond what asking makes."""
    if truth["has_numpy"] and kind in OF_NUMPY:
        return OF_NUMPY[kind] + truth["interned"]
    if kind == "str":  # those for ever, and the key of each thread-local object
        return truth["interned"] + 2 * truth["threads"]
    if kind == "dict":  # PyThreadState.dict, and what threading.local has for the thread
        return 2 * truth["threads"]
    if kind == "tuple":
        return KEYWORDS
    if kind == "bytes":
        return CHARACTERS
    return 0


def _size_apart(kind, found, row, truth):
    """(bytes by which the sizes differ, how many of them are of objects that only one side
    has). The dict of the interned strs is nobody's, or it became larger meanwhile."""
    count, size = row
    more, apart = found["count"] - count, found["size_bytes"] - size
    if kind == "dict":
        small, middle, large = truth["interned_tables"]
        apart = min((apart - table for table in (0, small, middle, large, small - middle,
                                                 middle - large)), key=abs)
    one_sided = abs(more) * 2 * size // max(1, count)
    if more and apart * more > 0:
        return max(0, abs(apart) - one_sided), one_sided
    return abs(apart), one_sided


def check_kinds(sample, truth):
    kinds, said = heaptop.types(sample), truth["kinds"]
    names = sorted(name for name in set(kinds) | set(said)
                   if max(kinds.get(name, {}).get("count", 0), said.get(name, [0])[0]) > MANY)
    counts, sizes, worst = [], [], 0
    for name in names:
        found, row = kinds.get(name, {"count": 0, "size_bytes": 0}), said.get(name, (0, 0))
        more = found["count"] - row[0]
        in_flight = 0 if name.startswith("__main__.") else IN_FLIGHT
        if not -in_flight <= more <= in_flight + _lacks(name, truth):
            counts.append("%s: %+d of %d" % (name, more, row[0]))
        if truth["has_numpy"] and name in OF_NUMPY and more:
            continue  # objects of any size are among those that the truth lacks
        apart, _ = _size_apart(name, found, row, truth)
        worst = max(worst, apart / max(1, row[1]))
        if apart > 0.001 * row[1]:
            sizes.append("%s: %d, said %d" % (name, found["size_bytes"], row[1]))
    yield Check("kinds", not counts, "%d/%d" % (len(names) - len(counts), len(names)),
                "; ".join(counts))
    total, here = sum(count for count, _ in said.values()), sample["objects"]["count"]
    apart = 100 * (here - total) / total
    lacks = 100 * (truth["interned"] + truth["has_numpy"] * sum(OF_NUMPY.values())) / total
    yield Check("objects", -0.5 <= apart <= 0.5 + lacks, "%+.3f %%" % apart,
                "%d, said %d" % (here, total))
    yield Check("sizes", not sizes, "%.3f %%" % (100 * worst), "; ".join(sizes))


# Bytes to which only the interpreter's own image leads: 3.8 and 3.9 keep up to 80 tables of
# keys for the next dicts (Objects/dictobject.c keys_free_list, static), 3.8 the tables of its
# parser (Parser/acceler.c, state.s_accel).
KEYS_KEPT = 80 * 176
UNOWNED = {8: KEYS_KEPT + (38 << 10), 9: KEYS_KEPT}
TABLES_OF_NUMPY = 40 << 10  # in C's static variables, too


def check_unowned(sample, minor, truth):
    found, used = sample["objects"]["unowned_bytes"], sample["pymalloc"]["used_bytes"]
    lacks = UNOWNED.get(minor, 0) + truth["has_numpy"] * TABLES_OF_NUMPY
    yield Check("unowned", found < 0.001 * used + lacks,
                "%.3f %%" % (100 * found / used), "%d bytes of %d" % (found, used))


def check_account(sample, before, after):
    """RES: the kernel's sum, which grows by the pages of files that heaptop looks at."""
    account = sample["account"]
    res = account["res_bytes"]
    parts = sum(part["bytes"] for part in account["parts"]) + account["unexplained_bytes"]
    yield Check("account", parts == res and before <= res <= after, parts - res,
                "parts %d, RES %d, smaps %d to %d" % (parts, res, before, after))
    share = 100 * account["unexplained_bytes"] / res
    yield Check("unexplained", abs(share) < 1, "%.3f %%" % share, "%d bytes of %d" % (
        account["unexplained_bytes"], res))


def check_quiet(stats, again):
    """Did the target stand still? Asking leaves a few blocks in another state."""
    (before, _), (after, _) = allocator_truth(stats), allocator_truth(again)
    blocks = _apart(after, before, 1)
    yield Check("quiet", sum(map(abs, blocks.values())) <= IN_FLIGHT, "", "blocks: %s" % blocks)


def check_walk(sample):
    walk = sample["objects"]["walk"]
    yield Check("walk", walk["complete"] and not walk["torn"], "", "%s" % walk)
