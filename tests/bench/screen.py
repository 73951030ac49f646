"""heaptop in a terminal of its own, for measuring what a user feels."""
import os
import subprocess
import tempfile
import time


class Screen:
    """A tmux server on its own socket; ended with the block."""

    def __init__(self, command, width=140, height=45):
        self.folder = tempfile.mkdtemp(prefix="heaptop-bench-")
        self.socket = os.path.join(self.folder, "tmux")
        environment = dict(os.environ)
        environment.pop("TMUX", None)
        environment.setdefault("LC_ALL", "C.UTF-8")
        self.began = time.monotonic()
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d",
                        "-x", str(width), "-y", str(height), command],
                       check=True, env=environment)

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket] + list(words),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()

    def text(self):
        return self.tmux("capture-pane", "-p")

    def pid(self):
        """Of the program in the pane."""
        return int(self.tmux("display-message", "-p", "#{pane_pid}"))

    def until(self, condition, timeout):
        """Seconds until the screen fulfils the condition, or None."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            if condition(self.text()):
                return time.monotonic() - began
            time.sleep(0.002)
        return None

    def key(self, key, condition, timeout=5):
        """Sends a key; seconds until the screen shows its effect, or None."""
        began = time.monotonic()
        self.tmux("send-keys", key)
        if self.until(condition, timeout) is None:
            return None
        return time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.tmux("kill-server")
        subprocess.run(["rm", "-rf", self.folder])
