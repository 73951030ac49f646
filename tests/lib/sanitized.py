"""A build of heaptop with a sanitizer in a folder of its own below BUILD_DIR, kept between
runs, so that only what changed is compiled."""
import os
import subprocess

SOURCE, BUILD = os.environ["SOURCE_DIR"], os.environ["BUILD_DIR"]


class Build:
    def __init__(self, folder, option, flags):
        self.place = os.path.join(BUILD, folder)
        self.program = os.path.join(self.place, "heaptop")
        self.option, self.flags = option, flags

    def run(self, *command, cwd=None, timeout=1500, **variables):
        """(status, what it wrote, what it wrote on stderr). A make around knows nothing of it."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
        environment.update(variables)
        done = subprocess.run(command, cwd=cwd or self.place, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout)
        return (done.returncode, done.stdout.decode("utf-8", "replace"),
                done.stderr.decode("utf-8", "replace"))

    def configure(self):
        """None, or why there can be no such build."""
        if not os.access(os.path.join(SOURCE, "configure"), os.X_OK):
            return "there is no ./configure (run ./autogen.sh)"
        os.makedirs(self.place, exist_ok=True)
        if os.path.exists(os.path.join(self.place, "Makefile")):
            return None
        status, _out, errors = self.run(os.path.join(SOURCE, "configure"), "-q", self.option,
                                        "CFLAGS=" + self.flags)
        return (errors.splitlines() or ["?"])[-1] if status else None

    def make(self, *goals):
        return self.run("make", "-s", "-j2", *goals)
