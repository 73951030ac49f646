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


def _size_apart(found, row):
    """Bytes by which the sizes differ, without those of objects that only one side has."""
    count, size = row
    more, apart = found["count"] - count, found["size_bytes"] - size
    one_sided = abs(more) * 2 * size // max(1, count)
    return max(0, abs(apart) - one_sided) if apart * more > 0 else abs(apart)


def check_kinds(sample, truth):
    kinds, said = heaptop.types(sample), truth["kinds"]
    names = sorted(name for name in set(kinds) | set(said)
                   if max(kinds.get(name, {}).get("count", 0), said.get(name, [0])[0]) > MANY)
    counts, sizes, worst = [], [], 0
    for name in names:
        found, row = kinds.get(name, {"count": 0, "size_bytes": 0}), said.get(name, (0, 0))
        more = found["count"] - row[0]
        in_flight = 0 if name.startswith("__main__.") else IN_FLIGHT
        if abs(more) > in_flight:
            counts.append("%s: %+d of %d" % (name, more, row[0]))
        apart = _size_apart(found, row)
        worst = max(worst, apart / max(1, row[1]))
        if apart > 0.001 * row[1]:
            sizes.append("%s: %d, said %d" % (name, found["size_bytes"], row[1]))
    yield Check("kinds", not counts, "%d/%d" % (len(names) - len(counts), len(names)),
                "; ".join(counts))
    total, here = sum(count for count, _ in said.values()), sample["objects"]["count"]
    apart = 100 * (here - total) / total
    yield Check("objects", abs(apart) <= 0.5, "%+.3f %%" % apart,
                "%d, said %d" % (here, total))
    yield Check("sizes", not sizes, "%.3f %%" % (100 * worst), "; ".join(sizes))


def check_unowned(sample):
    """Each block in use is an object, somebody's part, or is reached from static data."""
    objects, used = sample["objects"], sample["pymalloc"]["used_bytes"]
    found, statics = objects["unowned_bytes"], objects["statics_bytes"]
    yield Check("unowned", found < 0.001 * used and 0 < statics < 64 << 10,
                "%.3f %%" % (100 * found / used),
                "%d bytes of %d, static data hold %d" % (found, used, statics))


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
