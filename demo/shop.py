"""The shop that demo/service.py serves: three ways to waste memory.

login() leaks: its sessions stay in a cache that nobody empties. report() makes
garbage that only the collector can free. search() fragments: of the many small
objects that it allocates, it keeps one in a hundred.
"""
import gc
import os
import random
import time


class Session:
    def __init__(self, number):
        self.number = number
        self.user = "user-%d" % number
        self.started = time.time()
        self.basket = [number, number + 1]


class Report:
    def __init__(self, rows):
        self.pages = [Page(self, number) for number in range(rows)]


class Page:
    """Knows its report, and its report knows it: a cycle."""

    def __init__(self, report, number):
        self.report = report
        self.text = "page %d" % number


class Shop:
    """A WSGI application. Empties its cache when it reaches limit_bytes."""

    def __init__(self, limit_bytes, n_sessions):
        self.limit_bytes = limit_bytes
        self.survivors = []
        self.n_requests = 0
        self.next_session = n_sessions
        self.sessions = {number: Session(number) for number in range(n_sessions)}

    def login(self):
        for _ in range(40):
            self.sessions[self.next_session] = Session(self.next_session)
            self.next_session += 1
        return "%d sessions" % len(self.sessions)

    def report(self):
        report = Report(30)
        return "%d pages" % len(report.pages)

    def search(self):
        found = [(number, random.random()) for number in range(2000)]
        self.survivors.extend(found[::100])
        return "%d found" % len(found)

    def __call__(self, environ, start_response):
        pages = {"/login": self.login, "/report": self.report, "/search": self.search}
        page = pages.get(environ["PATH_INFO"])
        self.n_requests += 1
        if self.n_requests % 100 == 0:
            self.keep_limit()
        body = (page() if page else "no such page").encode()
        start_response("200 OK" if page else "404 Not Found",
                       [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    def keep_limit(self):
        with open("/proc/self/statm") as statm:
            resident_bytes = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        if resident_bytes > self.limit_bytes:
            self.sessions = {}
            self.survivors = []
            gc.collect()
