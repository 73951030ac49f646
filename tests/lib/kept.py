"""What was found, kept from one run to the next; a newly built program begins anew.

    kept = Kept("build/exactness.json")
    kept.keep("a name", found)          # written at once
    kept.found["a name"]
"""
import hashlib
import json
import os

import heaptop


class Kept:
    def __init__(self, path, identity=""):
        self.path, self.found = path, {}
        with open(heaptop.program(), "rb") as file:
            self.identity = identity + hashlib.sha256(file.read()).hexdigest()[:16]
        try:
            with open(path) as file:
                kept = json.load(file)
            if kept["identity"] == self.identity:
                self.found = kept["found"]
        except (OSError, ValueError, KeyError):
            pass

    def keep(self, name, found):
        self.found[name] = found
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        with open(self.path + ".new", "w") as file:
            json.dump({"identity": self.identity, "found": self.found}, file, indent=1)
        os.replace(self.path + ".new", self.path)
