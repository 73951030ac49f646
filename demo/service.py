#!/usr/bin/env python3
"""A small web service with the memory troubles that heaptop shows, under its own load.

    python3 demo/service.py [--limit MB] [--rate REQUESTS_PER_S] [--port PORT]

It serves demo/shop.py on 127.0.0.1 and sends itself requests. It prints its PID
on the first line of stdout and ends with status 0 on SIGTERM or SIGINT.
"""
import argparse
import os
import signal
import socketserver
import sys
import threading
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import shop


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format, *arguments):
        pass


def send_requests(port, rate, has_ended):
    """The load: logins, reports and searches in turn."""
    pages = ["login", "report", "search"]
    turn = 0
    while not has_ended.wait(1.0 / rate):
        url = "http://127.0.0.1:%d/%s" % (port, pages[turn % len(pages)])
        turn += 1
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                answer.read()
        except OSError:
            if has_ended.is_set():
                return


def allow_tracing():
    """Where only parents may look into a process (Yama), lets every process of
    this user do so: heaptop is no parent of this one."""
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as file:
            is_restricted = file.read().strip() == "1"
    except OSError:
        return
    if is_restricted:
        import ctypes
        pr_set_ptracer, any_process = 0x59616d61, ctypes.c_ulong(-1)
        ctypes.CDLL(None).prctl(pr_set_ptracer, any_process, 0, 0, 0)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=int, default=300, help="MB of memory (300)")
    parser.add_argument("--rate", type=float, default=60,
                        help="requests a second (60); 0 leaves it idle")
    parser.add_argument("--port", type=int, default=0, help="TCP port (any free one)")
    parser.add_argument("--sessions", type=int, default=20000,
                        help="sessions to begin with (20000)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    allow_tracing()
    application = shop.Shop(arguments.limit * 1000000, arguments.sessions)
    has_ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: has_ended.set())
    # The load goes to this machine only, whatever proxy the user has set.
    urllib.request.install_opener(
        urllib.request.build_opener(urllib.request.ProxyHandler({})))
    with make_server("127.0.0.1", arguments.port, application, Server,
                     QuietHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        if arguments.rate > 0:
            threading.Thread(target=send_requests, daemon=True,
                             args=(server.server_port, arguments.rate, has_ended)).start()
        print(os.getpid(), flush=True)
        print("serving on http://127.0.0.1:%d/" % server.server_port, file=sys.stderr)
        # In steps: a signal that another thread receives does not end a wait.
        while not has_ended.wait(0.2):
            pass
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
