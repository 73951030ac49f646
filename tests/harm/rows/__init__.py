"""The rows of the table, one file for each group; the order is the table's.

The groups follow what can go wrong: something befalls heaptop (tool), a copy of the target is
made (copies), the target ends or
becomes something else (ends, forks), it waits or receives signals (waits, signals), it is at
work in threads and in C (work), it is a service (services), it lives within limits (limits),
or behind a boundary (boundaries), and what stays after a long time (stay). `threats` are
those of a hostile target or of other users.
"""
import importlib

NAMES = ["tool", "copies", "ends", "forks", "signals", "waits", "work", "services", "limits",
         "boundaries", "threats", "stay"]


def groups():
    """[(words, rows)]"""
    modules = [importlib.import_module("rows." + name) for name in NAMES]
    return [(module.GROUP, module.ROWS) for module in modules]
