"""TAP for tests in Python.

    import tap
    tap.ok(count == 3, "three kinds", "got %r" % count)   # third: shown on failure
    tap.equal(found, expected, "what it is")
    tap.within(found, low, high, "what it is")
    tap.skip("what was not tested", "why")
    tap.skip_all("why")          # ends the program
    tap.done()                   # prints the plan; exit status 1 when a point failed
"""
import atexit
import sys
import traceback

_points = 0
_failed = 0
_is_done = False


def _line(text):
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    sys.stdout.flush()


def note(text):
    for line in str(text).splitlines():
        _line("# " + line)


def ok(condition, words, why=None):
    global _points, _failed
    _points += 1
    words = words.replace("#", "no.")
    if condition:
        _line("ok %d - %s" % (_points, words))
    else:
        _failed += 1
        _line("not ok %d - %s" % (_points, words))
        if why is not None:
            note(why)
    return bool(condition)


def equal(found, expected, words):
    return ok(found == expected, words, "found    %r\nexpected %r" % (found, expected))


def within(found, low, high, words):
    is_good = found is not None and low <= found <= high
    return ok(is_good, words, "found %r, wanted %r .. %r" % (found, low, high))


def skip(words, reason):
    global _points
    _points += 1
    _line("ok %d - %s # SKIP %s" % (_points, words.replace("#", "no."), reason))


def skip_all(reason):
    global _is_done
    _is_done = True
    _line("1..0 # SKIP " + reason)
    sys.exit(0)


def done():
    global _is_done
    _is_done = True
    _line("1..%d" % _points)
    sys.exit(1 if _failed else 0)


def guarded(function, *arguments):
    """Calls; an exception is one failed point, not the end of the other points."""
    try:
        return function(*arguments)
    except Exception:
        given = ("%r" % (arguments,))[:200]
        ok(False, "%s%s ended without an exception" % (function.__name__, given),
           traceback.format_exc())
        return None


def _forgotten():
    if not _is_done:
        note("the test ended without tap.done()")


atexit.register(_forgotten)
