"""What was found so far, in one file that survives between runs: build/harm/state.json.

It belongs to one build of the program and of the tests' driver: when either is another one,
the old results say nothing about it, and the state begins anew.
"""
import hashlib
import json
import os
import time

import heaptop
import tool


def program_digest():
    digest = hashlib.sha256()
    for path in (heaptop.program(), tool.DRIVER):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:16]


class State:
    def __init__(self, path):
        self.path = path
        digest = program_digest()
        try:
            with open(path) as file:
                self.data = json.load(file)
        except (OSError, ValueError):
            self.data = {}
        self.is_new = self.data.get("program") != digest
        if self.is_new:
            self.data = {"program": digest, "began": time.strftime("%Y-%m-%d"), "cells": {}}
        self.cells = self.data["cells"]

    @staticmethod
    def key(row, interpreter):
        return "%s on %s" % (row.name, interpreter.name)

    def cell(self, row, interpreter):
        return self.cells.get(self.key(row, interpreter), {})

    def add(self, row, interpreter, made):
        """Adds what a cell found (cell.as_data) to what is there; numbers and lists add up."""
        kept = self.cells.setdefault(self.key(row, interpreter), {})
        for name, value in made.items():
            if name == "figures":
                kept.setdefault(name, {}).update(value)
            elif isinstance(value, dict):
                counts = kept.setdefault(name, {})
                for words, n in value.items():
                    counts[words] = counts.get(words, 0) + n
            elif isinstance(value, list):
                kept[name] = (kept.get(name, []) + value)[:20]
            elif isinstance(value, (int, float)):
                kept[name] = kept.get(name, 0) + value
            else:
                kept[name] = value
        self.save()

    def save(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path + ".new", "w") as file:
            json.dump(self.data, file, indent=1, sort_keys=True)
        os.replace(self.path + ".new", self.path)
