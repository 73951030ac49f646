"""gunicorn or uwsgi serving djapp.py on a port of its own.

    service = Service()
    service.wait()              # until it answers
    service.get("work")         # the text of a page; OSError when it fails
    service.workers()           # what each worker says of itself, by PID
    service.close()
"""
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request

LIB = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
WORKERS = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def gunicorn(port):
    return [PYTHON, "-m", "gunicorn", "-w", str(WORKERS), "-b", "127.0.0.1:%d" % port,
            "djapp:application"]


def uwsgi(port, *options):
    return ["uwsgi", *options, "--plugin", "python3", "--http-socket", "127.0.0.1:%d" % port, "--master",
            "--die-on-term", "--processes", str(WORKERS), "--module", "djapp", "--pythonpath", LIB]


class Service:
    def __init__(self, command=gunicorn):
        self.port = free_port()
        self.log = tempfile.TemporaryFile()
        environment = dict(os.environ, PYTHONPATH=LIB, PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen(command(self.port), env=environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)

    def url(self, page):
        return "http://127.0.0.1:%d/%s" % (self.port, page)

    def get(self, page, timeout=20):
        with urllib.request.urlopen(self.url(page), timeout=timeout) as answer:
            return answer.read().decode()

    def wait(self, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.get("work")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def workers(self):
        said = {}
        deadline = time.monotonic() + 20
        while len(said) < WORKERS and time.monotonic() < deadline:
            answer = json.loads(self.get("count"))
            said[answer["pid"]] = answer
        return said

    def words(self):
        """What it has logged."""
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), size, 0).decode("utf-8", "replace")

    def close(self):
        """Its exit status; None when it had to be killed."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.log.close()
