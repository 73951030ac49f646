#!/usr/bin/env python3
"""client.py URL SECONDS THREADS: asks for a page all the time, one request after the other in
each thread, and prints how many were answered, which failed, and the latencies."""
import json
import sys
import threading
import time
import urllib.request


def ask(url, until, latencies, failures):
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                if answer.status != 200 or len(answer.read()) < 100:
                    failures.append("status %d" % answer.status)
        except OSError as error:
            failures.append(repr(error))
        latencies.append(time.monotonic() - began)


def main():
    url, seconds, n = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    latencies, failures, until = [], [], time.monotonic() + seconds
    threads = [threading.Thread(target=ask, args=(url, until, latencies, failures))
               for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    print(json.dumps({"answered": len(latencies) - len(failures), "failures": failures[:5],
                      "p50": latencies[len(latencies) // 2],
                      "p99": latencies[len(latencies) * 99 // 100],
                      "microseconds": [round(one * 1e6) for one in latencies]}))


if __name__ == "__main__":
    main()
