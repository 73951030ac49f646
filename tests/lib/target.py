"""A target program that answers questions.

    with target.Target(python, setup='''
    class Entry: pass
    kept = [Entry() for _ in range(1000)]
    ''') as t:
        t.pid
        t.ask("len(kept)")                 # -> 1000: eval in the target, by JSON
        t.tell("kept.clear()")             # exec in the target
        t.ask("sys.getallocatedblocks()")  # sys, gc, os, time are imported there
        t.debugmallocstats()               # text of sys._debugmallocstats()

The target waits in a read of its command pipe between questions (blocked, GIL
released, nothing running): it is at rest. `env` and `options` are for
PYTHONMALLOC and interpreter switches; `python` is an interpreter of
interpreters.py or the path of one. It is killed when the block ends,
whatever happens, and it ends by itself when the test dies (its pipe closes).
"""
import json
import os
import select
import signal
import subprocess
import tempfile
import time

_LOOP = r'''
import gc, json, os, sys, time
_commands = os.fdopen(int(sys.argv[1]), "rb", 0)
_answers = os.fdopen(int(sys.argv[2]), "wb", 0)
_names = globals()
def _say(value):
    _answers.write((json.dumps(value) + "\n").encode())
def _serve():
    while True:
        line = _commands.readline()
        if not line:
            os._exit(0)
        verb, text = json.loads(line.decode())
        try:
            if verb == "ask":
                answer = ["ok", eval(text, _names)]
            else:
                exec(compile(text, "<test>", "exec"), _names)
                answer = ["ok", None]
        except BaseException as error:
            answer = ["error", "%s: %s" % (type(error).__name__, error)]
        try:
            _say(answer)
        except TypeError:
            _say(["ok", repr(answer[1])])
        line = verb = text = answer = None
'''

_READY = '''
_say(["ready", os.getpid()])
_serve()
'''


class TargetError(Exception):
    pass


class Target:
    def __init__(self, python, setup="", env=None, options=(), timeout=60, arguments=()):
        self.timeout = timeout
        command, script, folder = [python], str, None
        if not isinstance(python, str):
            command, script, folder = python.command, python.inside, python.temporary
        self._file = tempfile.NamedTemporaryFile("w", suffix=".py", prefix="heaptop-target-",
                                                 dir=folder, delete=False)
        self._file.write(_LOOP + "\n" + _undent(setup) + "\n" + _READY)
        self._file.close()
        os.chmod(self._file.name, 0o644)  # the target may be another user's
        command_read, self._commands = os.pipe()
        self._answers, answer_write = os.pipe()
        environment = dict(os.environ)
        environment.pop("PYTHONPATH", None)
        environment.update(env or {})
        self._errors = tempfile.TemporaryFile()
        self._buffer = b""
        try:
            self.process = subprocess.Popen(
                command + list(options) + [script(self._file.name), str(command_read),
                                           str(answer_write)] + list(arguments),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._errors,
                env=environment, pass_fds=(command_read, answer_write))
        finally:
            os.close(command_read)
            os.close(answer_write)
        self.pid = self.process.pid
        try:
            verb, value = self._read(timeout)
            if verb != "ready":
                raise TargetError("said %r instead of ready" % (verb,))
        except BaseException:
            self.close()
            raise

    def _read(self, timeout):
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise TargetError("no answer within %g s%s" % (timeout, self._words()))
            data = os.read(self._answers, 1 << 16)
            if not data:
                raise TargetError("the target ended%s" % self._words())
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line.decode())

    def _words(self):
        text = self.stderr().strip()
        return ":\n" + text if text else ""

    def stderr(self):
        """What the target wrote to stderr so far."""
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode("utf-8", "replace")

    def _send(self, verb, text, timeout):
        os.write(self._commands, (json.dumps([verb, text]) + "\n").encode())
        state, value = self._read(timeout or self.timeout)
        if state != "ok":
            raise TargetError("%s %r: %s" % (verb, text, value))
        return value

    def ask(self, expression, timeout=None):
        return self._send("ask", expression, timeout)

    def tell(self, statements, timeout=None):
        return self._send("tell", _undent(statements), timeout)

    def start(self, statements):
        """As tell, without waiting: for a target that shall be busy. finish() waits."""
        os.write(self._commands, (json.dumps(["tell", _undent(statements)]) + "\n").encode())

    def finish(self, timeout=None):
        state, value = self._read(timeout or self.timeout)
        if state != "ok":
            raise TargetError("busy statements: %s" % value)

    def debugmallocstats(self):
        before = len(self.stderr())
        self.tell("sys._debugmallocstats()")
        return self.stderr()[before:]

    def is_alive(self):
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        if self.is_alive():
            self.process.send_signal(number)

    def close(self):
        # SIGCONT so that a stopped target does not outlive its test.
        self.kill(signal.SIGKILL)
        self.kill(signal.SIGCONT)
        self.process.wait()
        for descriptor in (self._commands, self._answers):
            try:
                os.close(descriptor)
            except OSError:
                pass
        self._errors.close()
        try:
            os.unlink(self._file.name)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def _undent(text):
    """Takes the common indentation off, so tests can indent what they write."""
    import textwrap
    return textwrap.dedent(text)
