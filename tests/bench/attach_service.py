"""What the users of a service feel while heaptop enters and leaves its processes.

gunicorn serves Django to two clients that ask all the time. Short slices of time come in
turns, each in one of four ways, so that all of them meet the same machine; the latencies of
all slices of a way make one distribution. A way that only starts the program tells what two
processors less a program cost, whatever that does; how far the two ways in which nothing is done
lie apart tells what differs by chance.
"""
import json
import os
import random
import subprocess
import sys
import threading
import time

import attach
import service

HARM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "harm")
CLIENT = os.path.join(HARM, "client.py")
SLICE_SECONDS, CLIENTS = 2, 2
TURNS = 12
PERCENTS = (50, 90, 99, 99.9, 100)
# words, visits a second, rounds of a visit
WAYS = (("nothing", 0, 0),
        ("nothing, once more", 0, 0),
        ("starts, opens, does not attach: 7 a second", 7, 0),
        ("attach, sample, release: every 2 seconds", 0.5, 1),
        ("attach, sample, release: 7 a second", 7, 1))


class Visitor(threading.Thread):
    """Goes to one process after the other until it is told to stop."""

    def __init__(self, pids, per_second, rounds):
        super().__init__()
        self.pids, self.pause, self.rounds = pids, 1 / per_second, rounds
        self.over, self.visits = threading.Event(), 0

    def run(self):
        while not self.over.wait(self.pause * random.uniform(0.5, 1.5)):
            subprocess.run([attach.PROGRAM, str(random.choice(self.pids)), str(self.rounds)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            self.visits += 1


def run_slice(url, pids, per_second, rounds):
    visitor = Visitor(pids, per_second, rounds) if per_second else None
    if visitor:
        visitor.start()
    done = subprocess.run([sys.executable, CLIENT, url, str(SLICE_SECONDS), str(CLIENTS)],
                          stdout=subprocess.PIPE)
    if visitor:
        visitor.over.set()
        visitor.join()
    return json.loads(done.stdout.decode()), visitor.visits if visitor else 0


def at(values, percent):
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


class Way:
    def __init__(self):
        self.latencies, self.visits, self.failed, self.each_p99 = [], 0, 0, []

    def add(self, answer, visits):
        self.latencies += answer["microseconds"]
        self.failed += len(answer["failures"])
        self.visits += visits
        self.each_p99.append(answer["p99"] * 1e3)


def print_way(words, way):
    ordered = sorted(way.latencies)
    print("%-44s %6d %8d %6d %s %10s" % (
        words, way.visits, len(ordered), way.failed,
        " ".join("%7.2f" % (at(ordered, percent) / 1e3) for percent in PERCENTS),
        "%.1f-%.1f" % (min(way.each_p99), max(way.each_p99))))


def measure(turns=TURNS):
    if subprocess.run([service.PYTHON, "-c", "import gunicorn, django"],
                      stderr=subprocess.DEVNULL).returncode:
        print("service: skipped: %s has no gunicorn and Django" % service.PYTHON)
        return
    found = [Way() for _ in WAYS]
    server = service.Service()
    try:
        server.wait()
        pids = sorted(server.workers()) + [server.process.pid]
        for _ in range(turns):
            for i in random.sample(range(len(WAYS)), len(WAYS)):
                found[i].add(*run_slice(server.url("work"), pids, *WAYS[i][1:]))
    finally:
        server.close()
    print("\ngunicorn with Django, %d slices of %d s each, latencies in ms (load %.1f)"
          % (turns, SLICE_SECONDS, os.getloadavg()[0]))
    print("%-44s %6s %8s %6s %s %10s" % ("heaptop", "visits", "requests", "failed", " ".join(
        "%7s" % ("p%g" % percent if percent < 100 else "max") for percent in PERCENTS),
        "p99 of each"))
    for (words, *_), way in zip(WAYS, found):
        print_way(words, way)
