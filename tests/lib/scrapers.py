"""Programs that read metrics: installed, or got by scrapers.sh."""
import os
import shutil
import subprocess

FOLDER = subprocess.run(
    [os.path.join(os.path.dirname(os.path.abspath(__file__)), "scrapers.sh"), "--list"],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode().strip()


def program(*names):
    """The path of the first that is there, or None."""
    for name in names:
        found = shutil.which(name) or shutil.which(os.path.join(FOLDER, name))
        if found:
            return found
    return None
