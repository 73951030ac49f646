"""CPython's own test suite, with heaptop coming and going and without: the same results.

Outcomes are compared test by test, from the suite's JUnit report. A test that differs is run
again without heaptop: alone, and beside a thread of Python's own that does nothing. When it
fails there too, sometimes, it is unsteady by itself, or asserts that no other thread lives, and
is named as that.
"""
import atexit
import functools
import glob
import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree

import watched

NAMES = ["gc", "threading", "subprocess", "signal", "asyncio", "multiprocessing_fork", "socket",
         "io", "fork1", "thread", "os", "posix", "select", "selectors", "epoll", "faulthandler"]
ALONE_ONLY = {  # what another thread that lives changes, but so seldom that TRIES do not show it
    "test_get_count": "asserts that nobody else makes an object between two of its lines",
}
THREAD = "import _thread; l = _thread.allocate_lock(); l.acquire(); " \
         "_thread.start_new_thread(l.acquire, ())\n"
LIMIT_SECONDS = 900
IGNORED = ["*VSOCK*"]  # they wait for ever in a virtual machine whose host does not answer
TRIES = 3


def has_tests(interpreter):
    if interpreter.root or interpreter.is_debug:
        return False
    done = subprocess.run(interpreter.command + ["-c", "import test.test_gc"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


_with_tests = {}


def with_tests(found):
    for interpreter in found:
        if interpreter.name not in _with_tests:
            _with_tests[interpreter.name] = has_tests(interpreter)
    return [i for i in found if _with_tests[i.name]]


def outcome_of(case):
    for kind in ("failure", "error", "skipped"):
        if case.find(kind) is not None:
            return kind
    return case.get("result", "passed") if case.get("status") == "notrun" else "passed"


@functools.lru_cache(maxsize=None)
def beside_a_thread(interpreter):
    """A command that runs the interpreter, and each that it starts, with a second thread."""
    folder = tempfile.mkdtemp(prefix="harm-thread-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(interpreter.command + ["-m", "venv", "--without-pip", folder], check=True)
    for packages in glob.glob(os.path.join(folder, "lib", "python3*", "site-packages")):
        with open(os.path.join(packages, "thread.pth"), "w") as file:
            file.write(THREAD)
    return [os.path.join(folder, "bin", "python3")]


def run_tests(command, name, match, cell=None):
    """{test: outcome}; None when it did not end in time."""
    with tempfile.TemporaryDirectory(prefix="harm-suite-") as folder:
        report = os.path.join(folder, "report.xml")
        command = command + ["-m", "test", "--junit-xml", report, "test_" + name]
        for words in IGNORED:
            command += ["-i", words]
        for words in match:
            command += ["-m", words]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=folder,
                                   env=dict(os.environ, PYTHONPATH=""), start_new_session=True)
        visitor = watched.Visitor(cell, process.pid) if cell else None
        if visitor:
            visitor.start()
        try:
            process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in [process.pid] + watched.program.descendants(process.pid):
                os.kill(pid, 9)
            process.wait()
            return None
        finally:
            if visitor:
                visitor.stop()
        if not os.path.exists(report):
            return {"the suite": "ended with status %d" % process.returncode}
        return {"%s.%s" % (case.get("classname") or "", case.get("name")): outcome_of(case)
                for case in xml.etree.ElementTree.parse(report).iter("testcase")}


def judge(cell, name, test, alone, beside):
    short = test.split(" ")[0].split(".")[-1]
    if short in ALONE_ONLY:
        return cell.figure(ALONE_ONLY[short], short)
    def happens(command, *arguments):
        outcomes = (run_tests(command, name, [short], *arguments) for _ in range(TRIES))
        return any(again and again.get(test) == beside for again in outcomes)

    if happens(cell.interpreter.command):
        return cell.figure("unsteady without heaptop", short)
    if happens(beside_a_thread(cell.interpreter)):
        return cell.figure("so beside any other thread", short)
    if happens(cell.interpreter.command, cell):
        return cell.harm("%s: %s without heaptop, %s with it" % (test, alone, beside))
    return cell.figure("differed once, and not in %d runs more, with heaptop" % TRIES, short)


def runs(name):
    def run(cell, _rounds):
        alone = run_tests(cell.interpreter.command, name, [])
        beside = run_tests(cell.interpreter.command, name, [], cell)
        if alone is None:
            cell.cannot = "test_%s does not end without heaptop either" % name
            return
        if beside is None:
            cell.hang("test_%s does not end with heaptop" % name)
            return
        different = sorted(test for test in set(alone) | set(beside)
                           if alone.get(test) != beside.get(test))
        for test in different[:10]:
            judge(cell, name, test, alone.get(test), beside.get(test))
        if len(different) > 10:
            cell.harm("%d tests have other results" % len(different))
        cell.figure("tests with the same result", len(alone) - len(different))
        if not cell.rounds:
            cell.refusals["the suite ended before an attach"] = 1
            cell.rounds = 1
    return run
