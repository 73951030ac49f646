"""Programs that read metrics, installed or got by scrapers.sh, and what they make of heaptop's.

    with Running(heaptop.program(), "--listen", "127.0.0.1:%d" % port, pid):
        status, content_type, text = wait_for(lambda: get(url))
        check_servers(port, folder)         # two points: Prometheus and VictoriaMetrics
    check_node_exporter(folder, "heaptop_up{")
"""
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import heaptop
from service import free_port
import tap

FOLDER = subprocess.run(
    [os.path.join(os.path.dirname(os.path.abspath(__file__)), "scrapers.sh"), "--list"],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode().strip()
ABSENT = "it is not there (tests/lib/scrapers.sh)"


def program(*names):
    """The path of the first that is there, or None."""
    for name in names:
        found = shutil.which(name) or shutil.which(os.path.join(FOLDER, name))
        if found:
            return found
    return None


def get(url, accept=None, method="GET"):
    """(status, content type, text)"""
    request = urllib.request.Request(url, headers={"Accept": accept} if accept else {},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def wait_for(what, seconds=40):
    """What it gives when that is true; None after so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = what()
        except (OSError, ValueError):
            found = None
        if found:
            return found
        time.sleep(0.1)
    return None


class Running:
    """A program that runs until the end of the block."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        **options)

    def __enter__(self):
        return self.process

    def __exit__(self, *exception):
        heaptop.stop(self.process)
        self.process.stderr.close()


def value_of(text, series):
    found = [line for line in text.split("\n") if line.startswith(series)]
    return float(found[0].rsplit(" ", 1)[1]) if found else None


def check_node_exporter(folder, series):
    """Its collector takes the files of the folder, and gives the series on."""
    collector = program("node_exporter", "prometheus-node-exporter")
    if not collector:
        tap.skip("node_exporter takes the file", ABSENT)
        return
    port = free_port()
    with Running(collector, "--collector.disable-defaults", "--collector.textfile",
                 "--collector.textfile.directory=" + folder,
                 "--web.listen-address=127.0.0.1:%d" % port):
        text = wait_for(lambda: get("http://127.0.0.1:%d/metrics" % port)[2]) or ""
    tap.equal(value_of(text, "node_textfile_scrape_error"), 0, "node_exporter takes the file")
    tap.equal(value_of(text, series), 1, "and gives its numbers on")


def _is_scraped(url, series):
    with urllib.request.urlopen(url + "/api/v1/query?query=" + series, timeout=5) as answer:
        found = json.loads(answer.read().decode())["data"]["result"]
    return found and found[0]["value"][1] == "1"


def _check_server(name, command, url, folder, series):
    if not command[0]:
        tap.skip("%s scrapes it" % name, ABSENT)
        return
    with Running(*command, cwd=folder):
        tap.ok(wait_for(lambda: _is_scraped(url, series)), "%s scrapes it" % name)


def check_servers(port, folder, series="heaptop_up"):
    """Prometheus and VictoriaMetrics scrape the port, and find that the series is 1."""
    config = os.path.join(folder, "scrape.yml")
    with open(config, "w") as file:
        file.write("scrape_configs:\n- job_name: heaptop\n  scrape_interval: 1s\n"
                   "  static_configs:\n  - targets: ['127.0.0.1:%d']\n" % port)
    one, other = free_port(), free_port()
    _check_server("prometheus", [
        program("prometheus"), "--config.file=" + config, "--storage.tsdb.path=" + folder + "/prom",
        "--web.listen-address=127.0.0.1:%d" % one],
        "http://127.0.0.1:%d" % one, folder, series)
    _check_server("victoria-metrics", [
        program("victoria-metrics"), "-promscrape.config=" + config,
        "-storageDataPath=" + folder + "/vm", "-httpListenAddr=127.0.0.1:%d" % other,
        "-search.latencyOffset=0s"],
        "http://127.0.0.1:%d" % other, folder, series)
