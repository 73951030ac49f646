"""heaptop on a terminal: tmux on a socket of its own, started from a shell.

    with terminal.Terminal(rows=24, columns=80) as t:
        t.start(pid, "--agent=never")        # heaptop, from the shell's prompt
        t.wait("RES")                        # a regular expression, with a deadline
        t.keys("Down", "F9", "Escape")       # tmux's names of keys
        t.type("text")                       # letter by letter
        t.resize(10, 3); t.lines(); t.text()
        t.heaptop()                          # its PID, or None
        t.is_in_order()                      # the terminal is as before heaptop

Nothing here sleeps for a state: it is looked for until a deadline.
"""
import os
import re
import shutil
import subprocess
import tempfile
import time

import heaptop

PROMPT = "shell-is-ready$"


class Failed(Exception):
    pass


def missing():
    """Why tests on a terminal are not possible; None when they are."""
    if not shutil.which("tmux"):
        return "tmux is not installed"
    if not heaptop.is_built():
        return "heaptop is not built"
    with open(heaptop.program(), "rb") as file:
        if b"Seconds between samples" not in file.read():
            return "this heaptop is built without its screen"
    return None


def poll(condition, timeout=15):
    """The first true value of the condition; its last value when the time is over."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.02)


class Terminal:
    def __init__(self, rows=24, columns=80, env=None, name="xterm-256color"):
        self._folder = tempfile.mkdtemp(prefix="heaptop-tmux-")
        self._socket = os.path.join(self._folder, "socket")
        environment = ["LANG=C.UTF-8", "LC_ALL=C.UTF-8", "PS1=" + PROMPT + " ",
                       "HISTFILE=", "TERM=" + name]
        environment += ["%s=%s" % pair for pair in (env or {}).items()]
        self._tmux("new-session", "-d", "-x", columns, "-y", rows, "env", "-u", "NO_COLOR",
                   *environment, "bash", "--norc", "--noprofile", "-i")
        self._tmux("set-option", "-g", "escape-time", "0")
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self.shell = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        self._tty = self._tmux("display-message", "-p", "#{pane_tty}").strip()
        self.wait(re.escape(PROMPT))
        # No core files, and no message of the shell about its jobs' memory.
        self.command("ulimit -c 0")
        self._settings = self._settled_settings()

    def _tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self._socket, "-f", "/dev/null"]
                              + [str(word) for word in words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20)
        if done.returncode != 0:
            raise Failed("tmux %s: %s" % (words[0], done.stderr.decode().strip()))
        return done.stdout.decode("utf-8", "replace")

    def _stty(self):
        return subprocess.run(["stty", "-a", "-F", self._tty], stdout=subprocess.PIPE,
                              timeout=10).stdout.decode().split("\n", 1)[1]

    def _settled_settings(self):
        """The shell's line editor changes them a little after its prompt is shown, in steps."""
        seen = []

        def are_settled():
            seen.append(self._stty())
            return "-icanon" in seen[-1] and seen[-5:] == seen[-1:] * 5
        poll(are_settled)
        return seen[-1]

    def keys(self, *names):
        for name in names:
            self._tmux("send-keys", name)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def command(self, line):
        """A line for the shell; waits for its next prompt."""
        self._tmux("send-keys", "-l", "clear; " + line)
        self._tmux("send-keys", "Enter")
        self.wait(r"\A\s*" + re.escape(PROMPT) + r"\s*\Z|\n" + re.escape(PROMPT) + r"\s*\Z")

    def start(self, *arguments, program=None):
        self._tmux("send-keys", "-l", " ".join(["clear;", program or heaptop.program()]
                                               + [str(word) for word in arguments]))
        self._tmux("send-keys", "Enter")

    def text(self):
        return self._tmux("capture-pane", "-p")

    def lines(self):
        return self.text().split("\n")

    def flag(self, name):
        return self._tmux("display-message", "-p", "#{%s}" % name).strip()

    def shows(self, pattern):
        return re.search(pattern, self.text(), re.MULTILINE) is not None

    def wait(self, pattern, timeout=15):
        if not poll(lambda: self.shows(pattern), timeout):
            raise Failed("%r did not appear:\n%s" % (pattern, self.text()))

    def wait_gone(self, pattern, timeout=15):
        if not poll(lambda: not self.shows(pattern), timeout):
            raise Failed("%r stays:\n%s" % (pattern, self.text()))

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", columns, "-y", rows)

    def heaptop(self):
        """The PID of the shell's child that is heaptop."""
        try:
            with open("/proc/%d/task/%d/children" % (self.shell, self.shell)) as file:
                children = file.read().split()
        except OSError:
            return None
        for child in children:
            try:
                path = os.readlink("/proc/%s/exe" % child)
            except OSError:
                continue
            if os.path.realpath(heaptop.program()) == path:
                return int(child)
        return None

    def disorder(self):
        """What is not as before heaptop, in words; "" when all is."""
        faults = []
        if self.flag("alternate_on") != "0":
            faults.append("in the alternate screen")
        if self.flag("mouse_any_flag") != "0":
            faults.append("mouse on")
        if self.flag("cursor_flag") != "1":
            faults.append("cursor hidden")
        if self._stty() != self._settings:
            faults.append("settings differ: %r" % sorted(
                set(self._stty().split()) ^ set(self._settings.split())))
        if not self.shows(re.escape(PROMPT) + r"\s*\Z"):
            faults.append("no prompt")
        return ", ".join(faults)

    def is_in_order(self, timeout=15):
        return poll(lambda: self.disorder() == "", timeout)

    def close(self):
        try:
            self._tmux("kill-server")
        except (Failed, subprocess.TimeoutExpired):
            pass
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
