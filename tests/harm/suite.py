"""CPython's own test suite, with heaptop coming and going and without: the same results.

Outcomes are compared test by test, from the suite's JUnit report. A test that differs is run
again alone without heaptop: when it fails there too, sometimes, it is unsteady by itself and
is named as that.
"""
import os
import subprocess
import tempfile
import xml.etree.ElementTree

import watched

NAMES = ["gc", "threading", "subprocess", "signal", "asyncio", "multiprocessing_fork", "socket",
         "io", "fork1", "thread", "os", "posix", "select", "selectors", "epoll", "faulthandler"]
ALONE_ONLY = {  # what another thread that lives changes, whoever has begun it
    "test_get_count": "asserts that nobody else makes an object between two of its lines",
    "test_fatal_error_c_thread": "asserts which threads faulthandler lists",
}
# test_faulthandler compares the whole of what is printed, where the agent's thread stands too.
ALONE_ONLY.update({name: "asserts that faulthandler lists one thread" for name in (
    "test_stack_overflow", "test_read_null", "test_sigsegv", "test_sigabrt", "test_sigfpe",
    "test_sigbus", "test_sigill", "test_fatal_error", "test_fatal_error_without_gil",
    "test_gil_released", "test_enable_file", "test_enable_fd")})
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


def run_tests(interpreter, name, match, cell=None):
    """{test: outcome}; None when it did not end in time."""
    with tempfile.TemporaryDirectory(prefix="harm-suite-") as folder:
        report = os.path.join(folder, "report.xml")
        command = interpreter.command + ["-m", "test", "--junit-xml", report, "test_" + name]
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
    for _ in range(TRIES):
        again = run_tests(cell.interpreter, name, [short])
        if again and again.get(test) == beside:
            return cell.figure("unsteady without heaptop", short)
    for _ in range(TRIES):
        again = run_tests(cell.interpreter, name, [short], cell)
        if again and again.get(test) == beside:
            return cell.harm("%s: %s without heaptop, %s with it" % (test, alone, beside))
    return cell.figure("differed once, and not in %d runs more, with heaptop" % TRIES, short)


def runs(name):
    def run(cell, _rounds):
        alone = run_tests(cell.interpreter, name, [])
        beside = run_tests(cell.interpreter, name, [], cell)
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
